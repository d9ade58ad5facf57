package source

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/athena/types"
)

// An athenaName is what athena:WORKGROUP/DATABASE.TABLE names.
type athenaName struct{ workgroup, database, table string }

// String is DATABASE.TABLE.
func (n athenaName) String() string { return n.database + "." + n.table }

// path is what stands in an event's Origin.
func (n athenaName) path() string { return "athena:" + n.String() }

// What names may be made of. Athena takes other characters in quotes, but nobody who creates a table in Athena can
// have them.
//
// https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
// https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroup.html
var (
	workgroupName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,128}$`)
	tableName     = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_-]{0,254}$`)
)

// parseAthena reads an athena: source.
func parseAthena(src string) (athenaName, error) {
	const form = "want athena:WORKGROUP/DATABASE.TABLE, such as athena:primary/default.cloudtrail_logs"
	rest := strings.TrimPrefix(src, "athena:")
	workgroup, table, ok := strings.Cut(rest, "/")
	if !ok {
		return athenaName{}, fmt.Errorf("%s names no workgroup: %s", printable(src), form)
	}
	database, table, ok := strings.Cut(table, ".")
	if !ok {
		return athenaName{}, fmt.Errorf("%s names no database: %s", printable(src), form)
	}
	for _, part := range []struct {
		what, name string
		valid      *regexp.Regexp
	}{{"workgroup", workgroup, workgroupName}, {"database", database, tableName}, {"table", table, tableName}} {
		if !part.valid.MatchString(part.name) {
			return athenaName{}, fmt.Errorf("%s: %q can't be the name of a %s: %s", printable(src), part.name, part.what, form)
		}
	}
	return athenaName{workgroup, strings.ToLower(database), strings.ToLower(table)}, nil
}

// An athenaTable is a table of CloudTrail logs as the data catalog describes it, in either of the layouts
// that AWS documents (T19), or what somebody made of them.
type athenaTable struct {
	athenaName
	assumed    bool // nobody was asked: the layout is the documented one
	columns    []hiveMember
	partitions []partition
}

// newAthenaTable reads a table's metadata.
//
// https://docs.aws.amazon.com/athena/latest/APIReference/API_TableMetadata.html
func newAthenaTable(name athenaName, m *types.TableMetadata) (*athenaTable, error) {
	t := &athenaTable{athenaName: name}
	for _, c := range m.Columns {
		column := hiveMember{name: strings.ToLower(aws.ToString(c.Name))}
		// A type that can't be read is that of no column that is known: its zero is never selected.
		column.hiveType, _ = parseHiveType(aws.ToString(c.Type))
		t.columns = append(t.columns, column)
	}
	for _, c := range m.PartitionKeys {
		t.partitions = append(t.partitions, newPartition(aws.ToString(c.Name), aws.ToString(c.Type), m.Parameters))
	}
	for _, name := range []string{"eventtime", "eventname", "eventsource", "errorcode"} {
		if !slices.ContainsFunc(t.columns, func(c hiveMember) bool { return c.name == name }) {
			return nil, fmt.Errorf("%s has no column %s: not a table of CloudTrail logs in a layout that AWS documents (iamwhy events --print-ddl s3://… prints one)", t, name)
		}
	}
	return t, nil
}

// column returns a column's type.
func (t *athenaTable) column(name string) (hiveType, bool) {
	return hiveType{kind: "struct", members: t.columns}.member(name)
}

// A selected is a value of each row, and the name that it gets.
type selected struct{ expr, alias string }

// selects returns the values of a row that make an event of it: of all columns, those that an event has, and of
// structs their leaves.
//
// Leaves rather than whole structs: a struct prints as {arn=…, type=…}, in which a value can pass for a
// member (T23), and CAST(… AS JSON) keeps the members' names only on the later engines. A leaf
// under an alias means the same on all of them.
func (t *athenaTable) selects() []selected {
	var out []selected
	for _, c := range t.columns {
		out = append(out, selectLeaves(identifier(c.name), c.name, c.hiveType)...)
	}
	return out
}

// selectLeaves returns what is read of one column or member.
func selectLeaves(expr, alias string, t hiveType) []selected {
	known := columns[fold(alias)] != nil
	switch {
	case t.kind == "struct":
		var out []selected
		for _, m := range t.members {
			out = append(out, selectLeaves(expr+"."+identifier(m.name), alias+"_"+m.name, m.hiveType)...)
		}
		return out
	case t.kind == "array" && known && t.members[0].kind == "struct":
		return []selected{{listOfMaps(expr, t.members[0].hiveType), alias}}
	case t.kind == "map" && strings.HasSuffix(alias, "_webidfederationdata"): // as some tables have it
		return []selected{{"element_at(" + expr + ", 'federatedProvider')", alias + "_federatedprovider"}}
	case known && t.kind != "" && len(t.members) == 0:
		return []selected{{expr, alias}}
	}
	return nil
}

// listOfMaps is a list of structs as JSON text. The members' names come from the maps, so that they are there on
// every engine.
func listOfMaps(expr string, t hiveType) string {
	var names, values []string
	for _, m := range t.members {
		if m.isText() {
			names = append(names, literal(m.name))
			values = append(values, "r."+identifier(m.name))
		}
	}
	return fmt.Sprintf("json_format(CAST(transform(%s, r -> MAP(ARRAY[%s], ARRAY[%s])) AS JSON))",
		expr, strings.Join(names, ", "), strings.Join(values, ", "))
}

// elsewhere are the columns of rows that no trail's log has: those of the console's CSV, and of CloudTrail Lake (T17c).
var elsewhere = []string{"username", "awsaccesskey", "eventcontext"}

// lacking returns the columns, by folded name, that an event is made of and the table doesn't have.
func (t *athenaTable) lacking() []string {
	has := make(map[string]bool)
	for _, s := range t.selects() {
		has[fold(s.alias)] = true
	}
	var out []string
	for name, path := range columns {
		switch {
		case has[name], slices.Contains(elsewhere, name):
		case len(path) == 1 && structs[path[0]] != nil && name != "resources": // its leaves count
		case len(path) > 1 && has[fold(path[0])]: // a struct that comes as JSON text
		default:
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// never says whose records never have a field: types of userIdentity. Long-term users, the root user, services and other
// accounts have no role's session, and only users of an identity provider name it.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
var never = map[string][]string{
	"useridentityidentityprovider":                                   {"IAMUser", "Root", "AWSService", "AWSAccount", "AssumedRole", "Role", "FederatedUser"},
	"useridentityonbehalfofuserid":                                   {"IAMUser", "Root", "AWSService", "AWSAccount"},
	"useridentityonbehalfofidentitystorearn":                         {"IAMUser", "Root", "AWSService", "AWSAccount"},
	"useridentityinscopeofsourcearn":                                 {"IAMUser", "Root", "AWSService", "AWSAccount"},
	"useridentitysessioncontextsourceidentity":                       {"IAMUser", "Root", "AWSService", "AWSAccount"},
	"useridentitysessioncontextec2roledelivery":                      {"IAMUser", "Root", "AWSService", "AWSAccount"},
	"useridentitysessioncontextassumedroot":                          {"IAMUser", "AWSService", "AWSAccount"},
	"useridentitysessioncontextwebidfederationdatafederatedprovider": {"IAMUser", "Root", "AWSService", "AWSAccount"},
}

// lacks returns the test for a record that may have had a field for which the table has no column: it is then
// unknown, not absent.
func (t *athenaTable) lacks() func(record map[string]any) bool {
	lacking := t.lacking()
	return func(record map[string]any) bool {
		identity, _ := record["userIdentity"].(map[string]any)
		kind, _ := identity["type"].(string)
		return slices.ContainsFunc(lacking, func(column string) bool {
			if column == "vpcendpointaccountid" {
				return record["vpcEndpointId"] != nil
			}
			return !slices.Contains(never[column], kind)
		})
	}
}

// documentedTable is a table as AWS documents it today: JsonSerDe, with partition projection by day.
//
// https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html
func documentedTable(name athenaName) *athenaTable {
	t := &athenaTable{athenaName: name, assumed: true}
	for _, c := range documentedColumns {
		column := hiveMember{name: c.name}
		column.hiveType, _ = parseHiveType(c.kind) // TestDocumentedColumns reads all of them
		t.columns = append(t.columns, column)
	}
	t.partitions = []partition{newPartition("timestamp", "string", map[string]string{
		"projection.enabled": "true", "projection.timestamp.type": "date", "projection.timestamp.format": "yyyy/MM/dd",
	})}
	return t
}

// A columnText is a column of a table definition.
type columnText struct{ name, kind string }

// documentedColumns are the columns of AWS's current layout.
var documentedColumns = []columnText{
	{"eventversion", "string"},
	{"useridentity", "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,accesskeyid:string,username:string," +
		"onbehalfof:struct<userid:string,identitystorearn:string>," +
		"sessioncontext:struct<attributes:struct<mfaauthenticated:string,creationdate:string>," +
		"sessionissuer:struct<type:string,principalid:string,arn:string,accountid:string,username:string>," +
		"ec2roledelivery:string,webidfederationdata:struct<federatedprovider:string,attributes:map<string,string>>>>"},
	{"eventtime", "string"},
	{"eventsource", "string"},
	{"eventname", "string"},
	{"awsregion", "string"},
	{"sourceipaddress", "string"},
	{"useragent", "string"},
	{"errorcode", "string"},
	{"errormessage", "string"},
	{"requestparameters", "string"},
	{"responseelements", "string"},
	{"additionaleventdata", "string"},
	{"requestid", "string"},
	{"eventid", "string"},
	{"readonly", "string"},
	{"resources", "array<struct<arn:string,accountid:string,type:string>>"},
	{"eventtype", "string"},
	{"apiversion", "string"},
	{"recipientaccountid", "string"},
	{"serviceeventdetails", "string"},
	{"sharedeventid", "string"},
	{"vpcendpointid", "string"},
	{"vpcendpointaccountid", "string"},
	{"eventcategory", "string"},
	{"addendum", "struct<reason:string,updatedfields:string,originalrequestid:string,originaleventid:string>"},
	{"sessioncredentialfromconsole", "string"},
	{"edgedevicedetails", "string"},
	{"tlsdetails", "struct<tlsversion:string,ciphersuite:string,clientprovidedhostheader:string>"},
}

// plainName is a name that needs no quotes, being none of SQL's own words: all names of CloudTrail's fields are so.
var plainName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// identifier is the name of one of CloudTrail's fields in SQL.
func identifier(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return quotedName(name)
}

// quotedName is any name in SQL.
func quotedName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal is a text in SQL.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// catalog is the data catalog that sources name tables of: Glue's.
const catalog = "AwsDataCatalog"

// projected returns a property of a partition's projection; "" if it isn't projected.
//
// https://docs.aws.amazon.com/athena/latest/ug/partition-projection-setting-up.html
func projected(properties map[string]string, key, property string) string {
	if !strings.EqualFold(strings.TrimSpace(properties["projection.enabled"]), "true") {
		return ""
	}
	return cmp.Or(properties["projection."+key+"."+property], properties["projection."+strings.ToLower(key)+"."+property])
}
