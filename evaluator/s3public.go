package evaluator

import (
	"net/netip"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// isPublic says whether a bucket's or an access point's policy is public: some
// Allow isn't pinned to fixed principals or to fixed values of certain context keys
// (rule S18). It depends on the document only, and is Unknown where AWS's page
// leaves open what S3 makes of a statement.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
func isPublic(doc *policy.Document, accessPoint bool) Match {
	m := NoMatch
	for i := range doc.Statements {
		m = or(m, statementIsPublic(&doc.Statements[i], accessPoint))
	}
	switch {
	case len(doc.Defects) > 0:
		return Unknown
	case m == Matched && mayTakeBack(doc):
		return Unknown
	}
	return m
}

func statementIsPublic(s *policy.Statement, accessPoint bool) Match {
	switch {
	case s.Effect == policy.Deny:
		return NoMatch
	case len(s.Defects) > 0 || s.Effect == policy.NoEffect:
		return Unknown
	}
	m := principalsArePublic(s)
	for i := range s.Condition {
		if m == NoMatch {
			return NoMatch
		}
		m = and(m, not(pins(&s.Condition[i], accessPoint)))
	}
	return m
}

// principalsArePublic says whether a statement is for others than fixed principals. A
// statement without Principal is for nobody (rule P21).
func principalsArePublic(s *policy.Statement) Match {
	if s.NotPrincipal != nil {
		return Matched
	}
	if s.Principal == nil {
		return NoMatch
	}
	m := NoMatch
	for _, e := range s.Principal.Entries {
		switch {
		case e.Value.Value == "*" || e.Kind == "Federated": // whoever has an account there
			m = Matched
		case strings.ContainsAny(e.Value.Value, "*?"):
			m = or(m, Unknown)
		}
	}
	return m
}

// A pinningKey is a context key whose fixed values keep a statement from being public.
type pinningKey struct {
	name string
	// perhaps says that the page doesn't name the key, but speaks of fixed principals, accounts and organisations.
	perhaps bool
}

var pinningKeys = [...]pinningKey{
	{name: "aws:SourceIp"},
	{name: "aws:SourceArn"},
	{name: "aws:SourceVpc"},
	{name: "aws:SourceVpce"},
	{name: "aws:SourceOwner"},
	{name: "aws:SourceAccount"},
	{name: "aws:userid"},
	{name: "aws:PrincipalOrgID"},
	{name: "s3:DataAccessPointArn"},
	{name: "s3:DataAccessPointAccount"},
	{name: "s3:x-amz-server-side-encryption-aws-kms-key-id"},
	{name: "aws:PrincipalArn", perhaps: true},
	{name: "aws:PrincipalAccount", perhaps: true},
	{name: "aws:PrincipalOrgPaths", perhaps: true},
	{name: "aws:PrincipalServiceName", perhaps: true},
	{name: "aws:PrincipalServiceNamesList", perhaps: true},
	{name: "aws:PrincipalIsAWSService", perhaps: true},
	{name: "aws:SourceOrgID", perhaps: true},
	{name: "aws:SourceOrgPaths", perhaps: true},
	{name: "aws:FederatedProvider", perhaps: true},
	{name: "aws:VpceAccount", perhaps: true},
	{name: "aws:VpceOrgID", perhaps: true},
	{name: "aws:VpceOrgPaths", perhaps: true},
	{name: "aws:SourceVpcArn", perhaps: true},
}

func pinningKeyFor(name string) *pinningKey {
	for i := range pinningKeys {
		if strings.EqualFold(pinningKeys[i].name, name) {
			return &pinningKeys[i]
		}
	}
	return nil
}

// pins says whether a condition lets only fixed values of a pinning key through.
func pins(c *policy.Condition, accessPoint bool) Match {
	key := pinningKeyFor(c.Key.Value)
	if key == nil || !requiresListed(c.Operator) || len(c.Values) == 0 {
		return NoMatch
	}
	m := Matched
	for _, v := range c.Values {
		m = and(m, isFixed(key.name, c.Operator, v.Value, accessPoint))
	}
	if key.perhaps {
		m = and(m, Unknown)
	}
	return m
}

// requiresListed reports whether an operator lets only the values through that it lists, and
// needs the key to be there.
func requiresListed(operator string) bool {
	if after, ok := cutFoldPrefix(operator, "ForAnyValue:"); ok {
		operator = after
	}
	for _, o := range [...]string{"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "IpAddress", "Bool"} {
		if strings.EqualFold(o, operator) {
			return true
		}
	}
	return false
}

func cutFoldPrefix(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// isFixed says whether a value of a pinning key is one that S3 takes to be fixed: without wildcard and
// variable, and for some keys more than that.
func isFixed(key, operator, v string, accessPoint bool) Match {
	wild := strings.ContainsAny(v, "*?")
	switch {
	case strings.Contains(v, "${"):
		return NoMatch
	case key == "aws:SourceIp" && !wild:
		return isNarrow(v)
	case key == "s3:DataAccessPointArn" && accessPoint:
		return NoMatch
	case key == "s3:DataAccessPointArn" && wild:
		return namesAccount(v)
	case key == "aws:userid" && strings.HasPrefix(v, "AROA") && strings.Contains(v, ":"):
		return Unknown // "outside the pattern AROLEID:*" can be read in two ways
	case wild && isExact(operator):
		return Unknown // the value matches nobody; S3 is said to look for wildcards
	}
	return known(!wild)
}

// isExact reports whether wildcards are plain characters to an operator.
func isExact(operator string) bool {
	after, _ := cutFoldPrefix(operator, "ForAnyValue:")
	return strings.EqualFold(after, "StringEquals") || strings.EqualFold(after, "StringEqualsIgnoreCase")
}

// namesAccount says whether the ARN of access points is that of one account's.
func namesAccount(arn string) Match {
	a, ok := policy.ParseARN(arn)
	if !ok {
		return Unknown
	}
	return known(len(a.Account) == 12 && digits(a.Account) && strings.HasPrefix(a.Resource, "accesspoint/"))
}

// private are the networks of RFC 1918, of which any is narrow enough.
var private = [...]netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
}

// isNarrow says whether a network isn't broader than S3 takes to be fixed: /8, IPv6 /32, or private.
func isNarrow(cidr string) Match {
	if _, err := netip.ParseAddr(cidr); err == nil {
		return Matched
	}
	network, err := netip.ParsePrefix(cidr)
	if err != nil {
		return Unknown
	}
	for _, p := range private {
		if p.Contains(network.Addr()) && network.Bits() >= p.Bits() {
			return Matched
		}
	}
	if network.Addr().Is4() {
		return known(network.Bits() >= 8)
	}
	return known(network.Bits() >= 32)
}

// mayTakeBack reports whether some Deny may take back what makes a policy public: one for everybody outside
// fixed values of a pinning key. The page speaks of what a policy grants, and doesn't say
// whether S3 looks at its Deny statements.
func mayTakeBack(doc *policy.Document) bool {
	for i := range doc.Statements {
		s := &doc.Statements[i]
		if s.Effect != policy.Deny || s.NotPrincipal == nil && principalsArePublic(s) == NoMatch {
			continue
		}
		if s.NotPrincipal != nil || len(s.Defects) > 0 {
			return true
		}
		for _, c := range s.Condition {
			if strings.Contains(strings.ToLower(c.Operator), "not") && pinningKeyFor(c.Key.Value) != nil || strings.EqualFold(c.Operator, "Null") {
				return true
			}
		}
	}
	return false
}
