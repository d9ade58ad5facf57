package apicall

import (
	"encoding/json"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The CLI's commands of its own for S3, and the API calls that they make.
//
// https://docs.aws.amazon.com/cli/latest/reference/s3/

// s3Options are the options of those commands, and how many words each takes: 1, at most 1 (-1), or all up to the next option (2).
var s3Options = map[string]int{
	"recursive": 0, "dryrun": 0, "quiet": 0, "follow-symlinks": 0, "no-follow-symlinks": 0, "no-guess-mime-type": 0, "only-show-errors": 0,
	"no-progress": 0, "ignore-glacier-warnings": 0, "force-glacier-transfer": 0, "delete": 0, "exact-timestamps": 0, "size-only": 0,
	"human-readable": 0, "summarize": 0, "force": 0, "validate-same-s3-paths": 0, "no-overwrite": 0,
	"include": 1, "exclude": 1, "acl": 1, "sse-c-key": 1, "sse-kms-key-id": 1, "sse-c-copy-source-key": 1, "storage-class": 1, "website-redirect": 1,
	"content-type": 1, "cache-control": 1, "content-disposition": 1, "content-encoding": 1, "content-language": 1, "expires": 1, "source-region": 1,
	"checksum-mode": 1, "checksum-algorithm": 1, "metadata": 1, "metadata-directive": 1, "copy-props": 1, "expected-size": 1, "case-conflict": 1,
	"index-document": 1, "error-document": 1, "expires-in": 1, "bucket-name-prefix": 1, "bucket-region": 1, "progress-frequency": 1,
	"sse": -1, "sse-c": -1, "sse-c-copy-source": -1, "request-payer": -1, "progress-multiline": -1,
	"grants": 2, "tags": 2,
}

// An s3Command is one of aws s3's.
type s3Command struct {
	want     string // its paths, in words
	min, max int    // how many
	calls    func(*commandParser, *s3Line) error
}

// s3Commands returns the commands; a function, since they come back to the parser that looks them up.
func s3Commands() map[string]s3Command {
	const two = "a local path and s3://BUCKET/KEY, either way round, or two of s3://BUCKET/KEY"
	return map[string]s3Command{
		"cp":      {two, 2, 2, (*commandParser).s3Copy},
		"mv":      {two, 2, 2, (*commandParser).s3Copy},
		"sync":    {two, 2, 2, (*commandParser).s3Sync},
		"rm":      {"s3://BUCKET/KEY", 1, 1, (*commandParser).s3Remove},
		"ls":      {"s3://BUCKET/PREFIX, or nothing for all buckets", 0, 1, (*commandParser).s3List},
		"mb":      {"s3://BUCKET", 1, 1, (*commandParser).s3MakeBucket},
		"rb":      {"s3://BUCKET", 1, 1, (*commandParser).s3RemoveBucket},
		"presign": {"s3://BUCKET/KEY", 1, 1, (*commandParser).s3Presign},
		"website": {"s3://BUCKET", 1, 1, (*commandParser).s3Website},
	}
}

// An s3Line is such a command's line, taken apart.
type s3Line struct {
	paths   []s3Path
	options map[string][]string
}

func (l *s3Line) has(option string) bool { _, ok := l.options[option]; return ok }

// one is an option's value, "" if it isn't given.
func (l *s3Line) one(option string) string {
	if v := l.options[option]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// An s3Path is a place in S3, or a local path.
type s3Path struct {
	text, bucket, key string // bucket is "" for a local path
}

// accessPointPath is an access point's ARN in the place of a bucket, and the key behind it.
var accessPointPath = regexp.MustCompile(`^(arn:aws[^:/]*:s3:[a-z0-9-]*:[0-9]{12}:accesspoint[:/][^/]+|arn:aws[^:/]*:s3-outposts:[a-z0-9-]+:[0-9]{12}:outpost[/:][A-Za-z0-9-]+[/:]accesspoint[/:][A-Za-z0-9-]+)/?(.*)$`)

func readS3Path(text string) s3Path {
	rest, ok := strings.CutPrefix(text, "s3://")
	if !ok {
		return s3Path{text: text}
	}
	if m := accessPointPath.FindStringSubmatch(rest); m != nil {
		return s3Path{text, strings.Replace(m[1], ":accesspoint:", ":accesspoint/", 1), m[2]}
	}
	bucket, key, _ := strings.Cut(rest, "/")
	return s3Path{text, bucket, key}
}

func (s s3Path) remote() bool { return strings.HasPrefix(s.text, "s3://") }

// below is the prefix of what lies under a path, which the CLI takes for a folder.
func (s s3Path) below() string {
	if s.key == "" || strings.HasSuffix(s.key, "/") {
		return s.key
	}
	return s.key + "/"
}

// s3 reads a command of aws s3.
func (p *commandParser) s3() error {
	c, ok := s3Commands()[p.operation]
	if !ok {
		return &CommandError{Msg: "aws s3: unknown command " + quote(p.operation) + "; the operations of S3's API are under aws s3api",
			Word: p.operation, Known: slices.Sorted(maps.Keys(s3Commands()))}
	}
	l, err := p.s3Line()
	if err != nil {
		return err
	}
	if n := len(l.paths); n < c.min || n > c.max {
		return commandErrorf("aws s3 %s: found %d paths: want %s", p.operation, n, c.want)
	}
	if bare := p.operation == "ls" || p.operation == "website"; bare && len(l.paths) == 1 && !l.paths[0].remote() { // these take BUCKET alone, too
		l.paths[0] = readS3Path("s3://" + l.paths[0].text)
	}
	for i, at := range l.paths {
		if at.remote() && at.bucket == "" && p.operation != "ls" {
			return commandErrorf("aws s3 %s: %q names no bucket: want %s", p.operation, clip(at.text), c.want)
		}
		if !at.remote() && c.max == 1 {
			return commandErrorf("aws s3 %s: %q: want %s", p.operation, clip(at.text), c.want)
		}
		if i == 1 && !at.remote() && !l.paths[0].remote() {
			return commandErrorf("aws s3 %s: both paths are local: want %s", p.operation, c.want)
		}
	}
	return c.calls(p, l)
}

func (p *commandParser) s3Line() (*s3Line, error) {
	l := &s3Line{options: map[string][]string{}}
	for i := 0; i < len(p.words); i++ {
		w := p.words[i]
		name, isOption := strings.CutPrefix(w, "--")
		if !isOption {
			if len(w) > 1 && w[0] == '-' {
				return nil, commandErrorf("aws s3 %s: %q: the AWS CLI has no options of one hyphen", p.operation, clip(w))
			}
			l.paths = append(l.paths, readS3Path(w))
			continue
		}
		name, value, joined := strings.Cut(name, "=")
		takes, ok := s3Options[name]
		if !ok {
			return nil, &CommandError{Msg: "aws s3 " + p.operation + ": unknown option --" + clip(name), Word: name, Known: slices.Sorted(maps.Keys(s3Options))}
		}
		values := []string{}
		next := func() bool { return i+1 < len(p.words) && !strings.HasPrefix(p.words[i+1], "--") }
		switch {
		case joined:
			values = append(values, value)
		case takes == 1:
			if !next() {
				return nil, commandErrorf("aws s3 %s: --%s lacks its value", p.operation, name)
			}
			i++
			values = append(values, p.words[i])
		case takes == -1: // the word behind it is its value, as for the CLI, unless that is a path in S3
			if next() && !strings.HasPrefix(p.words[i+1], "s3://") {
				i++
				values = append(values, p.words[i])
			}
		case takes == 2:
			for next() && !strings.HasPrefix(p.words[i+1], "s3://") {
				i++
				values = append(values, p.words[i])
			}
		}
		l.options[name] = values
	}
	return l, nil
}

// with is a call on a bucket.
func (p *commandParser) with(operation string, at s3Path, more map[string]any) CommandCall {
	parameters := map[string]any{"Bucket": at.bucket}
	maps.Copy(parameters, more)
	return p.call("s3", operation, parameters)
}

func (p *commandParser) do(when string, calls ...CommandCall) {
	for _, c := range calls {
		c.When = when
		p.command.Calls = append(p.command.Calls, c)
	}
}

// list is the call that lists what lies under a prefix.
func (p *commandParser) list(at s3Path, prefix string, more map[string]any) CommandCall {
	parameters := map[string]any{"Prefix": prefix}
	if size := p.globals["page-size"]; size != "" {
		parameters["MaxKeys"] = json.Number(size)
	}
	maps.Copy(parameters, more)
	return p.with("ListObjectsV2", at, parameters)
}

// The conditions of a call that the command line doesn't settle.
const (
	largeObject = "an object has 8 MB or more and goes in parts"
	largeCopy   = "an object with tags has 8 MB or more and goes in parts (AWS CLI version 2)"
	notDry      = "it is run without --dryrun"
)

// s3Headers are what a writing call sends beside its object: encryption, grants and the like.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
func (p *commandParser) s3Headers(l *s3Line) (map[string]any, error) {
	h := map[string]any{}
	for option, member := range map[string]string{
		"acl": "ACL", "storage-class": "StorageClass", "sse-kms-key-id": "SSEKMSKeyId", "website-redirect": "WebsiteRedirectLocation",
		"metadata-directive": "MetadataDirective", "content-type": "ContentType", "cache-control": "CacheControl",
		"content-disposition": "ContentDisposition", "content-encoding": "ContentEncoding", "content-language": "ContentLanguage", "expires": "Expires",
		"checksum-algorithm": "ChecksumAlgorithm", "request-payer": "RequestPayer",
	} {
		if l.has(option) {
			h[member] = l.one(option)
		}
	}
	if l.has("request-payer") && l.one("request-payer") == "" {
		h["RequestPayer"] = "requester"
	}
	if l.has("sse") {
		if h["ServerSideEncryption"] = l.one("sse"); l.one("sse") == "" {
			h["ServerSideEncryption"] = "AES256"
		}
	}
	if l.has("sse-c") {
		h["SSECustomerAlgorithm"], h["SSECustomerKey"] = "AES256", notRead
	}
	if l.has("no-overwrite") {
		h["IfNoneMatch"] = "*"
	}
	grants := map[string]string{"read": "GrantRead", "full": "GrantFullControl", "readacl": "GrantReadACP", "writeacl": "GrantWriteACP"}
	for _, g := range l.options["grants"] {
		permission, grantee, ok := strings.Cut(g, "=")
		member := grants[permission]
		if !ok || member == "" {
			return nil, commandErrorf("aws s3 %s: --grants %q: want read, full, readacl or writeacl, and =GRANTEE", p.operation, clip(g))
		}
		h[member] = grantee
	}
	if m := l.one("metadata"); m != "" {
		if v, err := shorthand(m); err == nil {
			h["Metadata"] = v
		}
	}
	return h, nil
}

// target is where an object of the source's name goes: below a target that ends in /, or that is a bucket.
func target(to, from s3Path) string {
	if to.key != "" && !strings.HasSuffix(to.key, "/") {
		return to.key
	}
	if from.remote() {
		return to.key + from.key[strings.LastIndexByte(from.key, '/')+1:]
	}
	name := path.Base(path.Clean(from.text))
	if name == "." || name == ".." || name == "/" || strings.Contains(name, `\`) { // which may part directories, or not
		name = unknownPart
	}
	return to.key + name
}

// s3Copy is cp and mv.
func (p *commandParser) s3Copy(l *s3Line) error {
	from, to := l.paths[0], l.paths[1]
	all := l.has("recursive")
	if all && (from.text == "-" || to.text == "-") {
		return commandErrorf("aws s3 %s: --recursive with -, which is one object", p.operation)
	}
	if from.remote() && from.key == "" && !all {
		return commandErrorf("aws s3 %s: %q names no object: want s3://BUCKET/KEY, or --recursive", p.operation, clip(from.text))
	}
	if to.remote() && (to.key == "" || strings.HasSuffix(to.key, "/")) && from.text == "-" {
		return commandErrorf("aws s3 %s: %q names no object: want s3://BUCKET/KEY for what comes from -", p.operation, clip(to.text))
	}
	switch {
	case all && from.remote():
		p.do("", p.elsewhere(l, p.list(from, from.below(), nil)))
		p.assumef("", "there is something under %s", from.text)
	case from.remote() && from.text != "-":
		p.do("", p.elsewhere(l, p.with("HeadObject", from, map[string]any{"Key": from.key})))
	}
	source, key := from.key, ""
	if all {
		source, key = from.below()+unknownPart, to.below()+unknownPart
	} else {
		key = target(to, from)
	}
	if all && (l.has("include") || l.has("exclude")) {
		p.assumef("", "which objects --include and --exclude leave isn't worked out: any under the prefix")
	}
	return p.transfer(l, from, to, source, key)
}

// s3Sync is sync, which lists both sides.
func (p *commandParser) s3Sync(l *s3Line) error {
	from, to := l.paths[0], l.paths[1]
	if from.text == "-" || to.text == "-" {
		return commandErrorf("aws s3 sync: -: want directories and prefixes")
	}
	if from.remote() {
		p.do("", p.elsewhere(l, p.list(from, from.below(), nil)))
	}
	if to.remote() {
		p.do("", p.list(to, to.below(), nil))
	}
	p.assumef("", "there is something to copy")
	if l.has("include") || l.has("exclude") {
		p.assumef("", "which objects --include and --exclude leave isn't worked out: any under the prefix")
	}
	if err := p.transfer(l, from, to, from.below()+unknownPart, to.below()+unknownPart); err != nil {
		return err
	}
	if l.has("delete") && to.remote() {
		p.assumef("", "there is something to delete")
		p.do(dry(l), p.with("DeleteObject", to, map[string]any{"Key": to.below() + unknownPart}))
	}
	return nil
}

func dry(l *s3Line) string {
	if l.has("dryrun") {
		return notDry
	}
	return ""
}

// also is the condition of a call that a transfer makes in some cases only.
func also(l *s3Line, when string) string {
	if l.has("dryrun") {
		return notDry + " and " + when
	}
	return when
}

// elsewhere moves a call about a copy's source to --source-region.
func (p *commandParser) elsewhere(l *s3Line, c CommandCall) CommandCall {
	if r := l.one("source-region"); r != "" && len(l.paths) == 2 && l.paths[0].remote() && l.paths[1].remote() {
		c.Region, c.from = r, "from --source-region, for what is copied"
	}
	return c
}

// transfer is the calls that move the bytes, and for mv that delete the source.
//
// https://docs.aws.amazon.com/cli/latest/topic/s3-config.html says what is done in parts.
func (p *commandParser) transfer(l *s3Line, from, to s3Path, source, key string) error {
	headers, err := p.s3Headers(l)
	if err != nil {
		return err
	}
	object := func(operation string, at s3Path, key string, more map[string]any) CommandCall {
		m := maps.Clone(more)
		if m == nil {
			m = map[string]any{}
		}
		m["Key"] = key
		return p.with(operation, at, m)
	}
	switch {
	case !to.remote():
		p.do(dry(l), object("GetObject", from, source, nil))
	case !from.remote():
		p.do(dry(l), object("PutObject", to, key, headers))
		// The calls for the parts need nothing that the first one doesn't; the last is made when one fails.
		p.do(also(l, largeObject), object("CreateMultipartUpload", to, key, headers), object("AbortMultipartUpload", to, key, nil))
	default:
		copied := maps.Clone(headers)
		copied["CopySource"] = copySourceOf(from.bucket, source)
		switch l.one("copy-props") {
		case "none":
			copied["MetadataDirective"], copied["TaggingDirective"] = "REPLACE", "REPLACE"
		case "metadata-directive":
			copied["TaggingDirective"] = "REPLACE"
		}
		p.do(dry(l), object("CopyObject", to, key, copied))
		p.do(also(l, largeObject), object("CreateMultipartUpload", to, key, headers), object("AbortMultipartUpload", to, key, nil))
		if props := l.one("copy-props"); props == "" || props == "default" {
			p.do(also(l, largeCopy), p.elsewhere(l, object("GetObjectTagging", from, source, nil)), object("PutObjectTagging", to, key, nil))
		}
	}
	if p.operation == "mv" && from.remote() {
		p.do(dry(l), p.elsewhere(l, object("DeleteObject", from, source, nil)))
	}
	if l.has("dryrun") {
		p.assumef("", "--dryrun: nothing is transferred, so that only what is listed or looked at is needed")
	}
	return nil
}

// copySourceOf is the source of a copy as the API takes it, URL-encoded but for the slashes.
func copySourceOf(bucket, key string) string {
	if strings.HasPrefix(bucket, "arn:") {
		key = "object/" + key
	}
	parts := strings.Split(key, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return bucket + "/" + strings.Join(parts, "/")
}

func (p *commandParser) s3Remove(l *s3Line) error {
	at := l.paths[0]
	switch {
	case l.has("recursive"):
		p.do("", p.list(at, at.below(), nil))
		p.do(dry(l), p.with("DeleteObject", at, map[string]any{"Key": at.below() + unknownPart}))
		p.assumef("", "there is something to delete under %s", at.text)
	case at.key == "":
		return commandErrorf("aws s3 rm: %q names no object: want s3://BUCKET/KEY, or --recursive", clip(at.text))
	default:
		p.do(dry(l), p.with("DeleteObject", at, map[string]any{"Key": at.key}))
	}
	return nil
}

func (p *commandParser) s3List(l *s3Line) error {
	if len(l.paths) == 0 || l.paths[0].remote() && l.paths[0].bucket == "" {
		p.do("", p.call("s3", "ListBuckets", nil))
		return nil
	}
	at := l.paths[0]
	more := map[string]any{"Delimiter": "/"}
	if l.has("recursive") {
		more = nil
	}
	p.do("", p.list(at, at.key, more))
	return nil
}

// onlyBucket refuses a key behind the bucket.
func (p *commandParser) onlyBucket(l *s3Line) (s3Path, error) {
	at := l.paths[0]
	if at.key != "" {
		return at, commandErrorf("aws s3 %s: %q: want the bucket alone, s3://%s", p.operation, clip(at.text), clip(at.bucket))
	}
	return at, nil
}

func (p *commandParser) s3MakeBucket(l *s3Line) error {
	at, err := p.onlyBucket(l)
	if err != nil {
		return err
	}
	configuration := map[string]any{}
	switch region, _ := p.asked(); region {
	case "us-east-1":
	case "":
		configuration["LocationConstraint"] = notRead
	default:
		configuration["LocationConstraint"] = region
	}
	var tags []any
	for i := 0; i+1 < len(l.options["tags"]); i += 2 {
		tags = append(tags, map[string]any{"Key": l.options["tags"][i], "Value": l.options["tags"][i+1]})
	}
	if tags != nil {
		configuration["Tags"] = tags
	}
	p.do("", p.with("CreateBucket", at, map[string]any{"CreateBucketConfiguration": configuration}))
	return nil
}

func (p *commandParser) s3RemoveBucket(l *s3Line) error {
	at, err := p.onlyBucket(l)
	if err != nil {
		return err
	}
	if l.has("force") {
		p.do("", p.list(at, "", nil), p.with("DeleteObject", at, map[string]any{"Key": unknownPart}))
		p.assumef("", "the bucket has objects, which --force deletes first")
	}
	p.do("", p.with("DeleteBucket", at, nil))
	return nil
}

func (p *commandParser) s3Presign(l *s3Line) error {
	at := l.paths[0]
	if at.key == "" {
		return commandErrorf("aws s3 presign: %q names no object: want s3://BUCKET/KEY", clip(at.text))
	}
	p.do("", p.with("GetObject", at, map[string]any{"Key": at.key}))
	p.assumef("", "presign itself calls nothing: this is the call that the URL makes when it is used, as whoever signed it")
	return nil
}

func (p *commandParser) s3Website(l *s3Line) error {
	at, err := p.onlyBucket(l)
	if err != nil {
		return err
	}
	p.do("", p.with("PutBucketWebsite", at, nil))
	return nil
}
