package correlate

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/iamwhy/iamwhy/evaluator"
	"github.com/iamwhy/iamwhy/evaluator/policy"
)

// A sessionStart is what the call that made a session says of its session
// policies: the only place where they are recorded (rule T32).
type sessionStart struct {
	eventID string
	call    string             // eventName
	account string             // whose trail has the call: the session's account, or another's that called
	inline  string             // requestParameters.policy
	arns    []string           // requestParameters.policyArns
	tags    map[string]*string // requestParameters.tags or, with SAML, principalTags, which win over the role's (T86); nil for a value that isn't known
}

// none reports whether the session has no session policy.
func (s *sessionStart) none() bool { return s.inline == "" && len(s.arns) == 0 }

// plainSession is a session of which nothing is to be remembered but that it has no session policy, as
// nearly all are. They are many: they share it.
var plainSession = &sessionStart{}

// plain reports whether plainSession says as much.
func (s *sessionStart) plain() bool { return s.none() && s.tags == nil }

// short returns s, or plainSession if that says as much.
func (s *sessionStart) short() *sessionStart {
	if s.plain() {
		return plainSession
	}
	s.call, s.account = strings.Clone(s.call), strings.Clone(s.account) // the event isn't kept
	return s
}

// startOf returns the session that an event made, and the access key that it
// goes by; nil if the event made none or doesn't record its parameters.
func startOf(e *Event) (accessKey string, s *sessionStart) {
	if e.ErrorCode != "" || e.Source != "sts.amazonaws.com" || !strings.HasPrefix(e.Name, "AssumeRole") && e.Name != "GetFederationToken" {
		return "", nil
	}
	var response struct {
		Credentials struct {
			AccessKeyID string `json:"accessKeyId"`
		} `json:"credentials"`
	}
	if json.Unmarshal(e.ResponseElements, &response) != nil || response.Credentials.AccessKeyID == "" {
		return "", nil
	}
	parameters := decodeParameters(e.RequestParameters)
	if parameters == nil || e.Origin.Lossy {
		return "", nil
	}
	s = &sessionStart{eventID: e.ID, call: e.Name, account: e.RecipientAccount}
	for name, v := range parameters {
		switch {
		case strings.EqualFold(name, "policy"):
			s.inline, _ = v.(string)
			if s.inline == "" && v != nil {
				return "", nil // there, but hidden or cut: unknown (rule T85)
			}
		case strings.EqualFold(name, "policyArns"):
			arns, ok := policyARNs(v)
			if !ok {
				return "", nil
			}
			s.arns = arns
		case strings.EqualFold(name, "tags"), strings.EqualFold(name, "principalTags"):
			s.tags = sessionTags(v)
		}
	}
	return response.Credentials.AccessKeyID, s
}

// policyARNs reads policyArns, a list of {"arn": …} or of strings.
func policyARNs(v any) ([]string, bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, v == nil
	}
	var arns []string
	for _, item := range list {
		arn, ok := item.(string)
		if m, isMap := item.(map[string]any); isMap {
			arn, ok = m["arn"].(string)
		}
		if !ok || arn == "" {
			return nil, false
		}
		arns = append(arns, arn)
	}
	return arns, true
}

// layer makes the session layer (rule E8). A document that can't be read, or
// a managed policy that the source doesn't have in the session's account, leaves the layer incomplete.
func (s *sessionStart) layer(src PolicySource, account, target string) evaluator.Layer {
	if s.none() {
		return evaluator.Layer{}
	}
	l := evaluator.Layer{State: evaluator.Applies}
	lacks := func(why string) {
		l.State = evaluator.NotCollected
		l.Missing = "session policy of " + target + ": " + why
	}
	if s.inline != "" {
		at := policy.Pos{File: "event " + s.eventID} // the same, wherever the event was read
		doc, err := policy.ParseString(at, s.inline)
		if err != nil {
			lacks("the policy in event " + s.eventID + " can't be read: " + err.Error())
		} else {
			l.Policies = append(l.Policies, evaluator.Policy{
				Name: s.call + " policy", Type: "session", Target: target, Body: evaluator.Compile(doc),
			})
		}
	}
	for _, arn := range s.arns {
		p, ok := src.ManagedPolicy(cmp.Or(account, s.account), arn)
		if !ok {
			lacks("managed policy " + arn + " isn't in the snapshot; iam:GetPolicyVersion would tell")
			continue
		}
		p.Type, p.Target = "session", target
		l.Policies = append(l.Policies, p)
	}
	return l
}

// sessionTags reads the tags that a session is given: a list of key and value, or an object. Those that it inherits aren't
// recorded.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
func sessionTags(v any) map[string]*string {
	tags := map[string]*string{}
	add := func(name string, v any) {
		if name == "" || hiddenValue(name) || len(tags) == maxSessionTags {
			return
		}
		tags[name] = nil // there, whatever its value is
		if value, ok := v.(string); ok && !hiddenValue(value) {
			tags[name] = &value
		}
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			tag, _ := item.(map[string]any)
			name, _ := tag["key"].(string)
			add(name, tag["value"])
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if value, ok := v[name].(string); ok { // {"omitted": true} is no tag
				add(name, value)
			}
		}
	}
	return tags
}

// hiddenValue reports whether a value stands for one that isn't recorded (T85).
func hiddenValue(s string) bool {
	return s == hiddenName || len(s) >= 3 && strings.Trim(s, "*") == ""
}

// maxSessionTags is how many tags AWS takes for a session.
const maxSessionTags = 50

// knowTags makes known what the call that made a denial's session says of its tags.
func (x *Explainer) knowTags(d *Denial, c *evaluator.Context) {
	if d.Event == nil || d.PrincipalMismatch {
		return
	}
	if s := x.starts.get(d.Event.Identity.AccessKeyID); s != nil {
		for _, v := range evaluator.TagValues("aws:PrincipalTag/", s.tags) {
			if !c.Known(v.Name) {
				c.Put(v)
			}
		}
	}
}

// sessionless reports whether sessions of this kind never have a session policy: those of
// IAM Identity Center's roles, and of EC2 instances (rule T32).
func sessionless(d *Denial) bool {
	p := &d.Principal
	if p.Type != evaluator.AssumedRole || d.Event == nil {
		return false
	}
	if !p.RolePathUnknown && strings.Contains(p.RoleARN, ":"+permissionSetPath) {
		return true
	}
	s := d.Event.Identity.Session
	name := p.ARN[strings.LastIndexByte(p.ARN, '/')+1:]
	return s != nil && s.EC2RoleDelivery != "" && strings.HasPrefix(name, "i-")
}

// sessionLayer says what is known of a denial's session policies; ok is false if
// that is nothing and the source's answer stands.
func (x *Explainer) sessionLayer(d *Denial) (evaluator.Layer, bool) {
	switch d.Principal.Type {
	case evaluator.AssumedRole, evaluator.FederatedUser:
	default:
		return evaluator.Layer{}, false
	}
	if d.Event != nil && !d.PrincipalMismatch {
		if s := x.starts.get(d.Event.Identity.AccessKeyID); s != nil {
			return s.layer(x.src, d.Principal.Account, d.Principal.ARN), true
		}
	}
	if sessionless(d) || x.opts.AssumeNoSessionPolicy && d.Principal.Type == evaluator.AssumedRole {
		return evaluator.Layer{}, true
	}
	return evaluator.Layer{}, false
}
