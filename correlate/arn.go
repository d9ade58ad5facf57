package correlate

import "strings"

// An arnParts is an ARN in its six parts.
type arnParts struct{ partition, service, region, account, resource string }

// splitARN takes an ARN apart and reports whether it is one.
func splitARN(s string) (arnParts, bool) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return arnParts{}, false
	}
	return arnParts{partition: p[1], service: p[2], region: p[3], account: p[4], resource: p[5]}, true
}

// kind returns the resource part up to its first separator, role of role/x, and
// "" if there is none.
func (p arnParts) kind() string {
	if i := strings.IndexAny(p.resource, "/:"); i >= 0 {
		return p.resource[:i]
	}
	return ""
}

// lastName returns the resource part after its last slash.
func (p arnParts) lastName() string { return p.resource[strings.LastIndexByte(p.resource, '/')+1:] }

// partitions are the partitions by the beginning of their regions (rule T84). Longer
// beginnings stand before shorter ones.
var partitions = []struct{ region, partition string }{
	{"cn-", "aws-cn"},
	{"us-gov-", "aws-us-gov"},
	{"us-isob-", "aws-iso-b"},
	{"us-iso-", "aws-iso"},
	{"eu-isoe-", "aws-iso-e"},
	{"us-isof-", "aws-iso-f"},
	{"eu-isof-", "aws-iso-f"},
	{"eusc-", "aws-eusc"},
}

// regionPartition returns the partition of a region, aws if the region says nothing.
func regionPartition(region string) string {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.region) {
			return p.partition
		}
	}
	return "aws"
}

// eventPartition returns the partition of an event: its caller's, else its region's (rule T84).
func eventPartition(e *Event) string {
	for _, arn := range []string{e.Identity.ARN, issuer(e).IssuerARN} {
		if p, ok := splitARN(arn); ok {
			return p.partition
		}
	}
	return regionPartition(e.Region)
}

// issuer returns the event's session; an empty one if there is none.
func issuer(e *Event) Session {
	if e.Identity.Session == nil {
		return Session{}
	}
	return *e.Identity.Session
}
