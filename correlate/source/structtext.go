package source

import "strings"

// Athena and CloudTrail Lake print a struct as {type=AssumedRole, arn=…}, without
// quotes: a value that holds ", " or "=" could be taken for members. So a struct
// is read only if nothing of it is in doubt (T23).

// A shape has the members of a struct, by the lower-case name, with their
// own members; nil for one that is plain text.
type shape map[string]shape

// ignored is the shape of members that are passed over: maps, whose keys aren't known.
var ignored = shape{}

var issuer = shape{"type": nil, "principalid": nil, "arn": nil, "accountid": nil, "username": nil}

// structs are the struct columns that are read, by their member of the record.
var structs = map[string]shape{
	"userIdentity": {
		"type": nil, "principalid": nil, "arn": nil, "accountid": nil, "accesskeyid": nil, "username": nil,
		"invokedby": nil, "identityprovider": nil, "credentialid": nil,
		"onbehalfof": {"userid": nil, "identitystorearn": nil},
		"inscopeof":  {"issuertype": nil, "credentialsissuedto": nil, "sourcearn": nil, "sourceaccount": nil},
		"sessioncontext": {
			"attributes":          {"mfaauthenticated": nil, "creationdate": nil},
			"sessionissuer":       issuer,
			"webidfederationdata": {"federatedprovider": nil, "attributes": ignored},
			"sourceidentity":      nil, "ec2roledelivery": nil, "assumedroot": nil,
		},
	},
	"tlsDetails": {"tlsversion": nil, "ciphersuite": nil, "clientprovidedhostheader": nil},
	"resources":  {"arn": nil, "arnprefix": nil, "accountid": nil, "type": nil},
}

// structJSON reads a struct, or a list of structs, of a known shape. It gives nil if the text
// is in doubt.
func structJSON(text string, s shape) any {
	inner, isList := unwrap(text, "[", "]")
	if !isList {
		if o, ok := parseStruct(text, s); ok {
			return o
		}
		return nil
	}
	list := []any{}
	parts, ok := splitMembers(inner)
	if !ok {
		return nil
	}
	for _, part := range parts {
		o, ok := parseStruct(part, s)
		if !ok {
			return nil
		}
		list = append(list, o)
	}
	return list
}

// parseStruct reads {name=value, …}. Each part has to begin with a name of the shape
// that wasn't there before.
func parseStruct(text string, s shape) (map[string]any, bool) {
	inner, ok := unwrap(text, "{", "}")
	if !ok {
		return nil, false
	}
	parts, ok := splitMembers(inner)
	if !ok {
		return nil, false
	}
	o := make(map[string]any)
	seen := make(map[string]bool)
	for _, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		name = strings.ToLower(name)
		members, known := s[name]
		if !known || seen[name] {
			return nil, false
		}
		seen[name] = true
		switch {
		case value == "null", value == "", members != nil && len(members) == 0:
		case members != nil:
			if o[name], ok = parseStruct(value, members); !ok {
				return nil, false
			}
		case strings.ContainsAny(value, "{}[]"):
			return nil, false
		default:
			o[name] = value
		}
	}
	return o, true
}

// unwrap takes the brackets off.
func unwrap(text, open, end string) (string, bool) {
	text, opened := strings.CutPrefix(strings.TrimSpace(text), open)
	text, ended := strings.CutSuffix(text, end)
	return text, opened && ended
}

// splitMembers cuts text at each ", " that isn't within brackets; ok is false if
// the brackets don't fit.
func splitMembers(text string) (parts []string, ok bool) {
	if text == "" {
		return nil, true
	}
	depth, from := 0, 0
	for i := range len(text) {
		switch text[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return nil, false
			}
		case ',':
			if depth == 0 && strings.HasPrefix(text[i:], ", ") {
				parts = append(parts, text[from:i])
				from = i + len(", ")
			}
		}
	}
	return append(parts, text[from:]), depth == 0
}
