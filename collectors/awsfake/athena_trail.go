package awsfake

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Parts of a CREATE EXTERNAL TABLE statement whose names are in backticks.
var (
	ddlColumn   = regexp.MustCompile("`([^`]+)` ([a-z]+(?:<[a-z0-9<>:,()]*>)?)")
	ddlProperty = regexp.MustCompile(`'([^']+)' = '([^']*)'`)
)

// AthenaTableOf returns the table that a CREATE EXTERNAL TABLE statement makes, if its names are in backticks.
func AthenaTableOf(ddl string) AthenaTable {
	t := AthenaTable{Parameters: map[string]string{}}
	columns, rest, _ := strings.Cut(ddl, "PARTITIONED BY")
	partitions, rest, _ := strings.Cut(rest, "ROW FORMAT")
	for _, part := range []struct {
		text string
		to   *[]AthenaColumn
	}{{columns, &t.Columns}, {partitions, &t.PartitionKeys}} {
		for _, m := range ddlColumn.FindAllStringSubmatch(part.text, -1) {
			*part.to = append(*part.to, AthenaColumn{Name: m[1], Type: m[2]})
		}
	}
	_, properties, _ := strings.Cut(rest, "TBLPROPERTIES")
	for _, m := range ddlProperty.FindAllStringSubmatch(properties, -1) {
		t.Parameters[m[1]] = m[2]
	}
	return t
}

// Trail answers queries of a trail's table with all of its records, in the order of time: a WHERE clause
// isn't looked at. What is selected has to be columns and members of structs, each on a line, by names or
// under aliases that have _ for the full stops. A list of structs comes as JSON.
func Trail(records []string) func(AthenaStatement) AthenaQuery {
	return func(s AthenaStatement) AthenaQuery {
		list, _, found := strings.Cut(strings.TrimPrefix(s.SQL, "SELECT "), "\nFROM ")
		if !found {
			return AthenaQuery{Refuse: Error("InvalidRequestException", "line 1: mismatched input. Expecting: SELECT … FROM")}
		}
		var q AthenaQuery
		for item := range strings.SplitSeq(list, ",\n") {
			q.Columns = append(q.Columns, item[strings.LastIndexByte(item, ' ')+1:])
		}
		type timed struct {
			at  string
			row []string
		}
		var rows []timed
		for _, text := range records {
			var record map[string]json.RawMessage
			if err := json.Unmarshal([]byte(text), &record); err != nil {
				return AthenaQuery{States: []string{"FAILED"}, Reason: "HIVE_CURSOR_ERROR: " + err.Error()}
			}
			row := make([]string, len(q.Columns))
			for i, column := range q.Columns {
				row[i] = member(record, strings.Split(column, "_"))
			}
			rows = append(rows, timed{member(record, []string{"eventtime"}) + " " + member(record, []string{"eventid"}), row})
		}
		slices.SortStableFunc(rows, func(a, b timed) int { return strings.Compare(a.at, b.at) })
		for _, r := range rows {
			q.Rows = append(q.Rows, r.row)
		}
		return q
	}
}

// member is a member of a record as the SerDe gives it: names have no case, and what isn't a text is its JSON.
func member(record map[string]json.RawMessage, path []string) string {
	for name, value := range record {
		if !strings.EqualFold(name, path[0]) {
			continue
		}
		if len(path) > 1 {
			var inner map[string]json.RawMessage
			if json.Unmarshal(value, &inner) != nil {
				return ""
			}
			return member(inner, path[1:])
		}
		var text string
		if string(value) == "null" || json.Unmarshal(value, &text) == nil {
			return text
		}
		return string(value)
	}
	return ""
}
