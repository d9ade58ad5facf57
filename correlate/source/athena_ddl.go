package source

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// AthenaDDL returns a table definition for the CloudTrail logs under s3://bucket/prefix, for people
// who have none: with partition projection by region and day, and by account if the logs are an organisation's, or of several
// accounts. opts.Query's Accounts, Regions and Since say which partitions the table has. Nothing is read.
//
// The columns are those of AWS's guide and the few others that an event of correlate's has, so that a row is as good as
// the record.
//
// https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html
func AthenaDDL(src string, opts Options) (string, error) {
	at, err := parseTrail(src)
	if err != nil {
		return "", err
	}
	q := opts.Query
	for _, id := range q.Accounts {
		if !accountID.MatchString(id) {
			return "", fmt.Errorf("%q is not an account: want 12 digits", id)
		}
	}
	for _, name := range q.Regions {
		if !regionName.MatchString(name) {
			return "", fmt.Errorf("%q is not a region", name)
		}
	}
	d := ddl{trail: at}
	if err := d.partition(q); err != nil {
		return "", err
	}
	return d.String(), nil
}

// A trail is where a trail's logs lie: s3://bucket/[prefix/]AWSLogs/[o-…/]account/CloudTrail/region/yyyy/MM/dd/ (T7).
type trail struct {
	root         string // up to AWSLogs
	organisation string
	account      string
	region       string
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

	// What a prefix may be made of: S3's safe characters, and a few that are harmless in SQL.
	//
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
	safePrefix = regexp.MustCompile(`^[A-Za-z0-9!_.*()=+@,/ -]*$`)
)

// parseTrail reads s3://bucket/prefix.
func parseTrail(src string) (trail, error) {
	const form = "want s3://bucket/prefix, with or without AWSLogs/…"
	rest, ok := strings.CutPrefix(src, "s3://")
	if !ok {
		return trail{}, fmt.Errorf("%s is not the place of a trail's logs: %s", printable(src), form)
	}
	bucket, prefix, _ := strings.Cut(rest, "/")
	if !bucketName.MatchString(bucket) {
		return trail{}, fmt.Errorf("%s: %q is not the name of a bucket: %s", printable(src), bucket, form)
	}
	if !safePrefix.MatchString(prefix) {
		return trail{}, fmt.Errorf("%s: the prefix has characters that can't stand in a table's location", printable(src))
	}
	parts := strings.Split(strings.Trim(prefix, "/"), "/")
	if parts[0] == "" {
		parts = nil
	}
	logs := slices.Index(parts, "AWSLogs")
	if logs < 0 {
		logs = len(parts)
	}
	t := trail{root: strings.Join(append(append([]string{"s3://" + bucket}, parts[:logs]...), "AWSLogs"), "/")}
	left := parts[min(logs+1, len(parts)):]
	next := func(valid *regexp.Regexp) (value string) {
		if len(left) > 0 && valid.MatchString(left[0]) {
			value, left = left[0], left[1:]
		}
		return value
	}
	t.organisation = next(organizationID)
	if t.account = next(accountID); t.account != "" && next(trailFolder) != "" {
		t.region = next(regionName)
	}
	if len(left) > 0 {
		return trail{}, fmt.Errorf("%s: %q isn't where CloudTrail's layout has it; give the place up to AWSLogs, the organisation or the account", printable(src), left[0])
	}
	return t, nil
}

var trailFolder = regexp.MustCompile(`^CloudTrail$`)

// A ddl is a table definition in the making.
type ddl struct {
	trail
	keys       []columnText
	properties []property
	template   string
	comments   []string
}

// A property is one of a table's TBLPROPERTIES.
type property struct{ name, value string }

// enum adds a partition key with a list of values.
func (d *ddl) enum(key string, values []string) {
	d.keys = append(d.keys, columnText{key, "string"})
	d.properties = append(d.properties, property{"projection." + key + ".type", "enum"}, property{"projection." + key + ".values", strings.Join(values, ",")})
}

// partition says by what the table is partitioned.
func (d *ddl) partition(q Query) error {
	d.template = d.root + "/"
	if d.organisation != "" {
		d.template += d.organisation + "/"
	}
	switch accounts := q.Accounts; {
	case d.account != "" && len(accounts) > 0 && !slices.Equal(accounts, []string{d.account}):
		return fmt.Errorf("the place is that of account %s alone; --account names others", d.account)
	case d.account == "" && d.organisation == "" && len(accounts) == 0:
		return errors.New("whose logs are there? give --account ID, or the place with the organisation: …/AWSLogs/o-…")
	case d.account == "" && len(accounts) == 1 && d.organisation == "":
		d.template += accounts[0]
	case d.account != "":
		d.template += d.account
	case len(accounts) > 0:
		d.enum("account", accounts)
		d.template += "${account}"
		d.comments = append(d.comments, "Logs of other accounts aren't read: add accounts to projection.account.values.")
	default:
		d.keys = append(d.keys, columnText{"account", "string"})
		d.properties = append(d.properties, property{"projection.account.type", "injected"})
		d.template += "${account}"
		d.comments = append(d.comments, "Every query has to name accounts (--account). With --account ID,… here, the table lists them, and queries needn't.")
	}
	regions := q.Regions
	switch {
	case d.region != "" && len(regions) > 0 && !slices.Equal(regions, []string{d.region}):
		return fmt.Errorf("the place is that of region %s alone; --region names others", d.region)
	case d.region != "":
		regions = []string{d.region}
	case len(regions) == 0:
		regions = trailRegions
	}
	d.enum("region", regions)
	d.template += "/CloudTrail/${region}/${timestamp}"
	d.comments = append(d.comments, "Logs of other regions aren't read: add regions to projection.region.values.")
	// The first trails are of November 2013.
	first := "2013/11/01"
	if !q.Since.IsZero() {
		first = q.Since.UTC().Format("2006/01/02")
		d.comments = append(d.comments, "Logs from before "+first+" aren't read: projection.timestamp.range.")
	}
	d.keys = append(d.keys, columnText{"timestamp", "string"})
	d.properties = append(d.properties,
		property{"projection.timestamp.type", "date"}, property{"projection.timestamp.format", "yyyy/MM/dd"},
		property{"projection.timestamp.interval", "1"}, property{"projection.timestamp.interval.unit", "DAYS"},
		property{"projection.timestamp.range", first + ",NOW"})
	return nil
}

// String is the statement. Its names are in backticks and its texts in single quotes, as Hive has them: nothing in
// them could end either, since parseTrail and AthenaDDL take no such characters.
func (d *ddl) String() string {
	var b strings.Builder
	b.WriteString(comments(append([]string{"Run this in Athena once; then: iamwhy events athena:primary/default.cloudtrail_logs"}, d.comments...)))
	b.WriteString("CREATE EXTERNAL TABLE `cloudtrail_logs` (\n")
	for i, c := range ddlColumns() {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString("  `" + c.name + "` " + c.kind)
	}
	b.WriteString("\n)\nPARTITIONED BY (")
	for i, k := range d.keys {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("`" + k.name + "` " + k.kind)
	}
	location, _, _ := strings.Cut(d.template, "${")
	b.WriteString(")\nROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'\n" +
		"STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'\n" +
		"OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'\n" +
		"LOCATION '" + location + "'\nTBLPROPERTIES (\n  'projection.enabled' = 'true'")
	for _, p := range append(d.properties, property{"storage.location.template", d.template}) {
		b.WriteString(",\n  '" + p.name + "' = '" + p.value + "'")
	}
	b.WriteString("\n);\n")
	return b.String()
}

// ddlColumns are the documented columns, with what an event has beyond them.
func ddlColumns() []columnText {
	out := slices.Clone(documentedColumns)
	for i, c := range out {
		if c.name == "useridentity" {
			c.kind = strings.Replace(c.kind, "username:string,onbehalfof", "username:string,identityprovider:string,inscopeof:struct<sourcearn:string>,onbehalfof", 1)
			out[i].kind = strings.Replace(c.kind, "ec2roledelivery:string,", "ec2roledelivery:string,sourceidentity:string,assumedroot:string,", 1)
		}
	}
	return out
}

// trailRegions are AWS's public regions; those of China and GovCloud are named with --region.
//
// https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
var trailRegions = []string{
	"af-south-1",
	"ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
	"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
	"ca-central-1", "ca-west-1",
	"eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
	"il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
	"us-east-1", "us-east-2", "us-west-1", "us-west-2",
}
