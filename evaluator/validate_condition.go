package evaluator

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator/policy"
	"github.com/iamwhy/iamwhy/evaluator/serviceref"
)

// An operandKind is the kind of value that an operator compares.
type operandKind int8

const (
	operandText operandKind = iota
	operandPattern
	operandNumber
	operandDate
	operandBool
	operandBytes
	operandIP
	operandARN
	operandNull
)

// operatorWords are the condition operators as AWS spells them, and what they compare.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var operatorWords = map[string]operandKind{
	"StringEquals": operandText, "StringNotEquals": operandText, "StringEqualsIgnoreCase": operandText, "StringNotEqualsIgnoreCase": operandText,
	"StringLike": operandPattern, "StringNotLike": operandPattern,
	"NumericEquals": operandNumber, "NumericNotEquals": operandNumber, "NumericLessThan": operandNumber, "NumericLessThanEquals": operandNumber,
	"NumericGreaterThan": operandNumber, "NumericGreaterThanEquals": operandNumber,
	"DateEquals": operandDate, "DateNotEquals": operandDate, "DateLessThan": operandDate, "DateLessThanEquals": operandDate,
	"DateGreaterThan": operandDate, "DateGreaterThanEquals": operandDate,
	"Bool": operandBool, "BinaryEquals": operandBytes, "IpAddress": operandIP, "NotIpAddress": operandIP,
	"ArnEquals": operandARN, "ArnLike": operandARN, "ArnNotEquals": operandARN, "ArnNotLike": operandARN, "Null": operandNull,
}

// operatorsByLower finds an operator whatever its case (rule C8).
var operatorsByLower = func() map[string]string {
	m := map[string]string{}
	for name := range operatorWords {
		m[strings.ToLower(name)] = name
	}
	return m
}()

// An operatorUse is an operator of a policy, taken apart.
type operatorUse struct {
	name     string // as AWS spells it
	kind     operandKind
	set      string // "ForAllValues", "ForAnyValue" or ""
	ifExists bool
	negated  bool // matches if the key is absent (rules C4, C9)
}

// readOperator takes an operator apart; ok is false for one that doesn't exist.
func readOperator(s string) (u operatorUse, ok bool) {
	for _, set := range []string{"ForAllValues", "ForAnyValue"} {
		if len(s) > len(set) && strings.EqualFold(s[:len(set)+1], set+":") {
			u.set, s = set, s[len(set)+1:]
			break
		}
	}
	lower := strings.ToLower(s)
	if rest, has := strings.CutSuffix(lower, "ifexists"); has {
		u.ifExists, lower = true, rest
	}
	u.name, ok = operatorsByLower[lower]
	u.kind = operatorWords[u.name]
	u.negated = strings.Contains(u.name, "Not")
	return u, ok
}

// spelled is the operator as AWS spells it.
func (u operatorUse) spelled() string {
	s := u.name
	if u.set != "" {
		s = u.set + ":" + s
	}
	if u.ifExists {
		s += "IfExists"
	}
	return s
}

// A conditionUse is a condition with what is known of its operator and key.
type conditionUse struct {
	*policy.Condition
	op  operatorUse
	key string // in lower case
	ref *serviceref.Key
}

// conditions checks Condition (section 5).
func (c *statementCheck) conditions() {
	var uses []conditionUse
	for i := range c.s.Condition {
		cond := &c.s.Condition[i]
		op, ok := readOperator(cond.Operator)
		if !ok {
			c.unknownOperator(cond)
			continue
		}
		u := conditionUse{Condition: cond, op: op, key: strings.ToLower(cond.Key.Value)}
		c.operatorForm(&u)
		c.conditionKey(&u)
		c.operands(&u)
		c.setOperators(&u)
		uses = append(uses, u)
	}
	c.sameKeys(uses)
	for i := range uses {
		if !c.spend(len(uses)) {
			break
		}
		c.absentKeys(&uses[i], uses)
		c.allValuesAllow(&uses[i], uses)
	}
	c.contradictions(uses)
}

// unknownOperator reports an operator that doesn't exist, with the one that was meant.
func (c *statementCheck) unknownOperator(cond *policy.Condition) {
	name, prefix := cond.Operator, ""
	if i := strings.IndexByte(name, ':'); i >= 0 {
		prefix, name = name[:i+1], name[i+1:]
	}
	base, suffix := name, ""
	if len(name) > 8 && strings.EqualFold(name[len(name)-8:], "ifexists") {
		base, suffix = name[:len(name)-8], "IfExists"
	}
	best := c.closest(base, func(yield func(string) bool) {
		for _, n := range operatorNames() {
			if !yield(n) {
				return
			}
		}
	})
	if best != "" {
		best = prefix + best + suffix
	}
	c.refused("unknownOperator", "C8", cond.OperatorPos, c.rules.grammarRefusal, didYouMean(best), "condition operator %q doesn't exist", cond.Operator)
}

func operatorNames() []string {
	list := make([]string, 0, len(operatorWords))
	for n := range operatorWords {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

// operatorForm checks how operators are put together (rules C5, C8, C26).
func (c *statementCheck) operatorForm(u *conditionUse) {
	switch {
	case u.op.kind == operandNull && u.op.ifExists:
		c.refused("nullIfExists", "C5", u.OperatorPos, c.rules.grammarRefusal, "write Null", "Null asks whether the key exists: it can't have IfExists")
	case u.op.kind == operandNull && u.op.set == "ForAllValues":
		c.found(SeverityWarning, "nullSet", "C26", u.OperatorPos, "write Null", "ForAllValues:Null is always true")
	case u.op.kind == operandNull && u.op.set == "ForAnyValue":
		c.found(SeverityWarning, "nullSet", "C26", u.OperatorPos, "write Null", "ForAnyValue:Null is never true")
	case c.rules.typ == DocumentBucket && u.Operator != u.op.spelled():
		c.found(SeverityWarning, "operatorCase", "C8", u.OperatorPos, "write "+u.op.spelled(), "S3 is known to refuse operators in another case than %s", u.op.spelled())
	}
}

// operands checks the values of a condition against its operator (rules C10 to C20, C28, V2).
func (c *statementCheck) operands(u *conditionUse) {
	if len(u.Values) == 0 {
		c.found(SeverityWarning, "emptyList", "G16", u.Key.Pos, "write the values, or remove the condition", "the condition on %s has no value", u.Key.Value)
		return
	}
	takesVariables := u.op.kind <= operandPattern || u.op.kind == operandARN || u.op.kind == operandBool
	for _, v := range u.Values {
		if strings.Contains(v.Value, "${") {
			if takesVariables {
				c.variablesIn(v, "a condition", false)
			} else if c.variables {
				c.found(SeverityWarning, "variableInOperator", "V2", v.Pos, "write the value out", "%s takes no policy variables: %q is taken literally", u.op.name, v.Value)
			}
			if u.op.kind != operandText {
				continue
			}
		}
		c.operand(u, v)
	}
	if u.op.kind == operandBool && len(u.Values) > 1 && u.op.set == "" {
		c.found(SeverityWarning, "severalBooleans", "C16", u.Values[1].Pos, "write one of them", "a Bool condition with several values holds for both true and false")
	}
	if u.op.kind == operandPattern && !slices.ContainsFunc(u.Values, func(v policy.Text) bool { return strings.ContainsAny(v.Value, "*?$") }) {
		c.found(SeveritySuggestion, "noWildcard", "C12", u.OperatorPos, "write "+strings.Replace(u.op.spelled(), "Like", "Equals", 1), "%s without a wildcard compares as %s does", u.op.name, strings.Replace(u.op.name, "Like", "Equals", 1))
	}
}

// operand checks one value.
func (c *statementCheck) operand(u *conditionUse, v policy.Text) {
	bad := func(want string) {
		then := "it never matches"
		if u.op.negated {
			then = "AWS doesn't say whether it matches"
		}
		c.found(SeverityWarning, "operandType", "C28", v.Pos, "write "+want, "%s compares with %s, and %q isn't one: %s", u.op.name, want, v.Value, then)
	}
	switch u.op.kind {
	case operandText:
		c.literalWildcard(u, v)
	case operandNumber:
		if _, ok := parseDecimal(v.Value); !ok {
			bad("a number")
		}
	case operandDate:
		if _, ok := parseDate(v.Value); !ok {
			bad("a date such as 2025-01-31T00:00:00Z")
		}
	case operandBool, operandNull:
		if !strings.EqualFold(v.Value, "true") && !strings.EqualFold(v.Value, "false") {
			bad("true or false")
		}
	case operandBytes:
		if _, err := base64.StdEncoding.DecodeString(v.Value); err != nil {
			bad("base64 text")
		}
	case operandIP:
		c.address(u, v, bad)
	case operandARN:
		switch parts := arnParts(v.Value); {
		case v.Value == "*":
			c.found(SeverityWarning, "operandType", "C28", v.Pos, "write StringLike, or arn:*:*:*:*:*", "%s compares the six parts of an ARN, and * has one: AWS doesn't say whether it matches", u.op.name)
		case len(parts) < 6:
			bad("an ARN of six parts")
		case strings.EqualFold(parts[0], "arn") && parts[0] != "arn":
			c.found(SeverityWarning, "arnCase", "R3", v.Pos, "write arn in lower case", "ARN %q: ARNs are compared by case, so it matches nothing", v.Value)
		}
	}
}

// literalWildcard warns of * where it is an ordinary character (rule C10).
func (c *statementCheck) literalWildcard(u *conditionUse, v policy.Text) {
	plain := strings.NewReplacer("${*}", "", "${?}", "").Replace(v.Value)
	like := strings.Replace(strings.Replace(u.op.spelled(), "IgnoreCase", "", 1), "Equals", "Like", 1)
	if strings.Contains(plain, "*") {
		c.found(SeverityWarning, "literalWildcard", "C10", v.Pos, "did you mean "+like+"?", "to %s, the * in %q is an ordinary character", u.op.name, v.Value)
	}
	if (u.key == "aws:sourceip" || u.key == "aws:vpcsourceip") && strings.Contains(v.Value, "/") {
		c.found(SeverityWarning, "operandType", "C18", v.Pos, "write IpAddress or NotIpAddress", "%s compares text, and no address is equal to the range %q", u.op.name, v.Value)
	}
}

// privateRanges are addresses that a request over the internet never has.
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7"),
}

// address checks an operand of IpAddress and NotIpAddress (rule C18).
func (c *statementCheck) address(u *conditionUse, v policy.Text, bad func(string)) {
	p, ok := parseNetwork(v.Value)
	if !ok {
		bad("an address or a range such as 203.0.113.0/24")
		return
	}
	if u.key != "aws:sourceip" {
		return
	}
	for _, private := range privateRanges {
		if p.Bits() >= private.Bits() && private.Contains(p.Addr()) {
			c.found(SeverityWarning, "privateAddress", "C18", v.Pos, "compare aws:VpcSourceIp instead",
				"aws:SourceIp is the public address: it is never in %s", v.Value)
			return
		}
	}
}

// setOperators checks ForAllValues and ForAnyValue against the key's type (rules C24, C27).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func (c *statementCheck) setOperators(u *conditionUse) {
	if u.ref == nil || u.op.kind == operandNull {
		return
	}
	several := false
	for _, t := range append([]string{u.ref.Type}, u.ref.Types...) {
		several = several || strings.HasPrefix(t, "ArrayOf")
	}
	switch {
	case several && u.ref.Multivalued() && u.op.set == "":
		c.found(SeverityWarning, "missingSetOperator", "C27", u.OperatorPos, "write ForAnyValue:"+u.op.spelled()+" or ForAllValues:"+u.op.spelled(),
			"%s has several values: without ForAnyValue or ForAllValues AWS doesn't say whether it matches", u.Key.Value)
	case !several && u.op.set == "ForAnyValue":
		c.found(SeveritySuggestion, "setOnSingle", "C24", u.OperatorPos, "leave out ForAnyValue", "%s has one value: ForAnyValue adds nothing", u.Key.Value)
	}
}

// allValuesAllow warns of an Allow that holds also without the key (rule C24).
func (c *statementCheck) allValuesAllow(u *conditionUse, all []conditionUse) {
	if c.s.Effect != policy.Allow || u.op.set != "ForAllValues" || u.op.kind == operandNull || neverMissing[u.key] {
		return
	}
	for i := range all {
		o := &all[i]
		if o.key != u.key {
			continue
		}
		if o.op.kind == operandNull && o.op.set == "" && len(o.Values) == 1 && strings.EqualFold(o.Values[0].Value, "false") ||
			o.op.kind != operandNull && o.op.set != "ForAllValues" && !o.op.ifExists && !o.op.negated {
			return
		}
	}
	severity := SeverityWarning
	if u.key == "aws:tagkeys" {
		severity = SeveritySuggestion // the usual way to bound which tags may be given, of which none is one
	}
	c.found(severity, "forAllValuesAllow", "C24", u.OperatorPos, `add "Null": {`+quote(u.Key.Value)+`: "false"}`,
		"ForAllValues is true also if the request has no %s: this allows such requests", u.Key.Value)
}

// neverMissing are keys of several values, in lower case, that every request has for whose action they exist:
// the API requires the parameter that they tell.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
// https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
var neverMissing = map[string]bool{
	"kms:grantoperations": true, "route53:changeresourcerecordsetsactions": true,
	"route53:changeresourcerecordsetsnormalizedrecordnames": true, "route53:changeresourcerecordsetsrecordtypes": true,
}

// sameKeys reports keys of one operator block that differ only in case (rule G8).
func (c *statementCheck) sameKeys(uses []conditionUse) {
	seen := map[string]string{}
	for i := range uses {
		u := &uses[i]
		id := u.Operator + "\x00" + u.OperatorPos.String() + "\x00" + u.key
		if first, twice := seen[id]; twice && first != u.Key.Value {
			c.refused("duplicateKey", "G8", u.Key.Pos, c.rules.grammarRefusal, "put their values in one list", "condition keys %s and %s differ only in case: they are one key", first, u.Key.Value)
			continue
		}
		seen[id] = u.Key.Value
	}
}

// absentKeys warns of conditions that go the unexpected way when the key is missing (rules C4, C5).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent
func (c *statementCheck) absentKeys(u *conditionUse, all []conditionUse) {
	c.partlyAbsent(u, all)
	value := ""
	if len(u.Values) == 1 {
		value = strings.ToLower(u.Values[0].Value)
	}
	deny := c.s.Effect == policy.Deny
	switch u.key {
	case "aws:multifactorauthpresent":
		switch {
		case deny && u.op.kind == operandBool && value == "false" && !u.op.ifExists:
			c.found(SeverityWarning, "missingIfExists", "C4", u.OperatorPos, "write BoolIfExists",
				"aws:MultiFactorAuthPresent is missing with long-term access keys, and a missing key isn't false: they are not denied")
		case !deny && u.op.kind == operandBool && value == "true" && u.op.ifExists:
			c.found(SeverityWarning, "ifExistsAllow", "C5", u.OperatorPos, "write Bool", "aws:MultiFactorAuthPresent is missing with long-term access keys: with IfExists they are allowed without MFA")
		}
	case "aws:multifactorauthage":
		if deny && strings.HasPrefix(u.op.name, "NumericGreaterThan") && !u.op.ifExists {
			c.found(SeverityWarning, "missingIfExists", "C4", u.OperatorPos, "write "+u.op.name+"IfExists", "aws:MultiFactorAuthAge is missing without MFA, and a missing key isn't too old: such requests are not denied")
		}
	case "aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip":
		if deny && u.op.negated && !mentions(all, networkExceptions) {
			what := "requests through a VPC endpoint"
			if u.key != "aws:sourceip" {
				what = "requests that don't come through one of AWS's VPC endpoints"
			}
			c.found(SeveritySuggestion, "absentKeyDenied", "C4", u.OperatorPos, `add "Bool": {"aws:ViaAWSService": "false"}, and what else shall be excepted`,
				"%s is missing from %s, and those that AWS services make for the caller: they are denied, too", u.Key.Value, what)
		}
	case "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount":
		if deny && u.op.negated && !u.op.ifExists && (c.everyone() || c.s.NotPrincipal != nil) && !mentions(all, serviceExceptions) {
			c.found(SeveritySuggestion, "absentKeyDenied", "C4", u.OperatorPos, `add "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}`,
				"%s is missing from calls of AWS services: they are denied, too", u.Key.Value)
		}
	}
}

// partlyAbsent warns of a Deny by what a key isn't, of an action that is checked on several resources of which some don't have the
// key: ec2:RunInstances has ec2:InstanceType for the instance only, and is denied for want of it on the image (rules C4, C5, E4).
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IfExists
func (c *statementCheck) partlyAbsent(u *conditionUse, all []conditionUse) {
	if c.s.Effect != policy.Deny || !u.op.negated || u.op.set != "" || strings.HasPrefix(u.key, "aws:") || c.s.Action == nil || c.s.Resource == nil {
		return
	}
	if slices.ContainsFunc(all, func(o conditionUse) bool { return o.op.kind == operandNull && o.key == u.key }) {
		return
	}
	for i, a := range c.s.Action.Values {
		list := c.expand()[i].actions
		switch {
		case !c.spend(8):
			return
		case len(list) != 1:
			continue
		}
		service, action := list[0].service, list[0].action
		if hasKey(action.Keys, u.Key.Value) {
			continue
		}
		var with, without []string
		for j := range action.Resources {
			res := &action.Resources[j]
			t, ok := service.ResourceType(res.Type)
			switch {
			case !ok || !c.spend(64):
				return
			case hasKey(res.Keys, u.Key.Value) || hasKey(t.Keys, u.Key.Value):
				with = append(with, res.Type)
			case res.Required && c.covers(t):
				without = append(without, res.Type)
			}
		}
		if len(with) == 0 || len(without) == 0 {
			continue
		}
		c.found(SeverityWarning, "keyOfOtherResource", "C4", u.Key.Pos, "name only resources that have it: "+strings.Join(with[:min(len(with), 4)], ", "),
			"%s is checked on %s, too, which have no %s: a missing key isn't equal, so this denies every such call", a.Value, strings.Join(without[:min(len(without), 4)], ", "), u.Key.Value)
		return
	}
}

// cutSegments cuts a text behind its nth colon.
func cutSegments(s string, n int) (before, after string, ok bool) {
	end := 0
	for range n {
		i := strings.IndexByte(s[end:], ':')
		if i < 0 {
			return s, "", false
		}
		end += i + 1
	}
	return s[:end], s[end:], true
}

// covers reports whether some entry of Resource may be of a type.
func (c *statementCheck) covers(t *serviceref.ResourceType) bool {
	for _, r := range valuesOf(c.s.Resource) {
		if !c.spend(len(r.Value) + 8) {
			return false
		}
		parts := arnParts(wholePattern(r.Value))
		if len(parts) < 6 {
			return true
		}
		for _, form := range formsOf(t) {
			// Only what follows the account tells them apart, and there no * may stand for the account, too.
			_, kind, _ := cutSegments(form.pattern, 5)
			if !c.spend(len(parts[5])*len(kind)/8 + 1) {
				return false
			}
			if globsMeet(parts[5], kind) {
				return true
			}
		}
	}
	return false
}

var (
	networkExceptions = []string{"aws:viaawsservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:principalisawsservice", "aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:principalarn"}
	serviceExceptions = []string{"aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist", "aws:sourceorgid", "aws:sourceaccount", "aws:sourcearn"}
)

// mentions reports whether one of the conditions has a key of the list. Of the keys that tell the
// network, of which the condition in question has one, it takes two.
func mentions(all []conditionUse, keys []string) bool {
	seen := map[string]bool{}
	for i := range all {
		if slices.Contains(keys, all[i].key) {
			seen[all[i].key] = true
		}
	}
	for _, network := range []string{"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"} {
		if seen[network] {
			return len(seen) > 1
		}
	}
	return len(seen) > 0
}

// contradictions reports conditions on one key that can't hold together (rule C1).
func (c *statementCheck) contradictions(uses []conditionUse) {
	byKey := map[string][]*conditionUse{}
	for i := range uses {
		byKey[uses[i].key] = append(byKey[uses[i].key], &uses[i])
	}
	for i := range uses {
		a := &uses[i]
		if a.op.set != "" || a.op.ifExists || a.op.negated || len(a.Values) == 0 {
			continue
		}
		for _, b := range byKey[a.key] {
			if !c.spend(len(a.Values)*len(b.Values)*4 + 1) {
				return
			}
			if b == a || b.op.set != "" {
				continue
			}
			if why := contradiction(a, b); why != "" {
				c.found(SeverityWarning, "neverTrue", "C1", a.Key.Pos, "conditions are all required: put alternatives in one list, or in another statement",
					"%s on %s never holds together with %s: %s", a.Operator, a.Key.Value, b.Operator, why)
				break
			}
		}
	}
}

// contradiction says why a, a positive condition, can't hold together with b on the same key; "" if it can.
func contradiction(a, b *conditionUse) string {
	if b.op.kind == operandNull {
		if a.op.kind != operandNull && len(b.Values) == 1 && strings.EqualFold(b.Values[0].Value, "true") {
			return "that wants the key to be missing"
		}
		return ""
	}
	if a.op.name != "StringEquals" || b.op.kind > operandPattern {
		return ""
	}
	for _, v := range append(slices.Clone(a.Values), b.Values...) {
		if strings.Contains(v.Value, "${") {
			return ""
		}
	}
	if !b.op.negated && b.op.name == "StringEquals" && b.OperatorPos.Line <= a.OperatorPos.Line && b.OperatorPos.Col < a.OperatorPos.Col {
		return "" // told once
	}
	for _, v := range a.Values {
		hit := slices.ContainsFunc(b.Values, func(w policy.Text) bool {
			switch {
			case b.op.kind == operandPattern:
				return simpleMatch(w.Value, v.Value)
			case strings.HasSuffix(b.op.name, "IgnoreCase"):
				return strings.EqualFold(w.Value, v.Value)
			}
			return w.Value == v.Value
		})
		if hit != b.op.negated {
			return ""
		}
	}
	return "no value meets both"
}
