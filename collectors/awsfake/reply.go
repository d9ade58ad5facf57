package awsfake

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// A Reply is what a Handler answers with. The zero Reply is an empty 200.
type Reply struct {
	Status int // 0 is 200, or what the protocol has for the error
	Header http.Header
	Body   []byte

	code, message string // of an error, which is written in the call's protocol
	result        any    // of the Query protocol, which names it after the call
}

// JSON replies with v as JSON. Times are numbers of seconds in AWS's JSON protocols (see [Seconds]).
func JSON(v any) Reply {
	body, err := json.Marshal(v)
	if err != nil {
		return Error("InternalFailure", err.Error())
	}
	return Reply{Body: body}
}

// XML replies with v as XML.
func XML(v any) Reply {
	body, err := xml.Marshal(v)
	if err != nil {
		return Error("InternalFailure", err.Error())
	}
	return Reply{Body: body}
}

// Result replies with v, as XML, as the result of a call of the Query protocol:
// in <AssumeRoleResponse><AssumeRoleResult>.
func Result(v any) Reply { return Reply{result: v} }

// Error replies with an error in the shape of the call's protocol.
func Error(code, message string) Reply { return Reply{code: code, message: message} }

// A protocol is one of AWS's, as far as their errors differ.
//
// https://smithy.io/2.0/aws/protocols/index.html
type protocol int

const (
	restJSON protocol = iota
	awsJSON           // X-Amz-Target
	query             // Action
	ec2Query
	restXML
	s3XML
)

// protocols are those of the services that a call without a target and an action isn't
// told apart by: the others are restJSON.
var protocols = map[string]protocol{
	"cloudfront": restXML,
	"ec2":        ec2Query,
	"route53":    restXML,
	"s3":         s3XML,
}

const requestID = "b25f48e8-84fd-11e6-80d9-574e0c4664cb"

// write writes a reply.
func (c *Call) write(w http.ResponseWriter, r Reply) {
	switch {
	case r.code != "":
		r = c.wireError(r)
	case r.result != nil:
		r = c.wireResult(r)
	}
	w.Header().Set("X-Amzn-Requestid", requestID)
	switch c.protocol {
	case awsJSON:
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	case restJSON:
		w.Header().Set("Content-Type", "application/json")
	default:
		w.Header().Set("Content-Type", "text/xml")
	}
	for name, values := range r.Header {
		w.Header()[name] = values
	}
	if r.Status != 0 {
		w.WriteHeader(r.Status)
	}
	_, _ = w.Write(r.Body) // a caller that went away needs no answer
}

// wireError gives an error the shape of the call's protocol.
func (c *Call) wireError(r Reply) Reply {
	out := Reply{Status: r.Status, Header: r.Header.Clone()}
	if out.Status == 0 {
		out.Status = c.errorStatus(r.code)
	}
	switch c.protocol {
	case awsJSON:
		out.Body = JSON(map[string]string{"__type": r.code, "message": r.message}).Body
	case restJSON:
		if out.Header == nil {
			out.Header = make(http.Header)
		}
		out.Header.Set("X-Amzn-Errortype", r.code)
		out.Body = JSON(map[string]string{"message": r.message}).Body
	case ec2Query:
		out.Body = fmt.Appendf(nil, "<Response><Errors>%s</Errors><RequestID>%s</RequestID></Response>", errorXML(r, ""), requestID)
	case s3XML:
		out.Body = errorXML(r, "<RequestId>"+requestID+"</RequestId>")
	default:
		out.Body = fmt.Appendf(nil, "<ErrorResponse>%s<RequestId>%s</RequestId></ErrorResponse>", errorXML(r, "<Type>Sender</Type>"), requestID)
	}
	return out
}

// errorStatus is the HTTP status of an error: where a protocol is JSON with a target, that
// says nothing but whose fault it is.
func (c *Call) errorStatus(code string) int {
	switch {
	case strings.HasPrefix(code, "Internal"):
		return http.StatusInternalServerError
	case c.protocol == awsJSON:
		return http.StatusBadRequest
	case strings.HasPrefix(code, "AccessDenied"), strings.HasPrefix(code, "MissingAuthenticationToken"):
		return http.StatusForbidden
	case code == "SlowDown":
		return http.StatusServiceUnavailable
	case code == "TooManyRequestsException":
		return http.StatusTooManyRequests
	case strings.HasPrefix(code, "NoSuch"), strings.Contains(code, "NotFound"):
		return http.StatusNotFound
	}
	return http.StatusBadRequest
}

func errorXML(r Reply, more string) []byte {
	var b bytes.Buffer
	b.WriteString("<Error><Code>")
	_ = xml.EscapeText(&b, []byte(r.code)) // a buffer takes everything
	b.WriteString("</Code><Message>")
	_ = xml.EscapeText(&b, []byte(r.message))
	b.WriteString("</Message>" + more + "</Error>")
	return b.Bytes()
}

// wireResult wraps the result of a call of the Query protocol.
func (c *Call) wireResult(r Reply) Reply {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%sResponse>", c.Operation)
	start := xml.StartElement{Name: xml.Name{Local: c.Operation + "Result"}}
	if err := xml.NewEncoder(&b).EncodeElement(r.result, start); err != nil {
		return c.wireError(Error("InternalFailure", err.Error()))
	}
	fmt.Fprintf(&b, "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>", requestID, c.Operation)
	return Reply{Status: r.Status, Header: r.Header, Body: b.Bytes()}
}
