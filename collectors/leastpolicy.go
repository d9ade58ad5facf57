package collectors

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// LeastPolicy is the least identity policy that o's collection needs, as text that IAM takes. The same policy
// does for the caller and for the role in each account: what only the caller needs does nothing there.
func LeastPolicy(o Options) ([]byte, error) {
	return leastPolicy(o, parts())
}

func leastPolicy(o Options, all []*part) ([]byte, error) {
	rows, left, err := choose(all, o.Only, o.Skip)
	if err != nil {
		return nil, err
	}
	if o.Org {
		rows, _ = withOrganization(rows, left)
	}
	type statement struct {
		Sid      string
		Effect   string
		Action   []string
		Resource string
	}
	var actions []string
	for _, p := range rows {
		actions = append(actions, p.permissions...)
	}
	if len(o.Regions) == 0 && slices.ContainsFunc(rows, (*part).asksRegions) {
		actions = append(actions, regionsPermission)
	}
	slices.Sort(actions)
	// One statement: a managed policy has room for 6,144 characters.
	statements := []statement{{"ReadPolicies", "Allow", slices.Compact(actions), "*"}}
	if o.Org || len(o.Accounts) > 0 {
		statements = append(statements, statement{"EnterAccounts", "Allow", []string{"sts:AssumeRole"}, o.roleIn(partitionOf(o.Config.Region), "*")})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", statements})
	return b.Bytes(), err
}

// partitionOf is the partition that a region is in, as far as its name tells.
func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
