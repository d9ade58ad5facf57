package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/iamwhy/iamwhy/correlate"
)

// A lookup is the event history of some regions, as LookupEvents gives it (T13 to T16).
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
type lookup struct {
	src     string // for errors
	opts    Options
	regions []region
	start   time.Time // of what is asked for; within the last 90 days
	end     time.Time
	asks    []attribute // one after the other in each region; one that is zero asks for everything
	notices []string

	budget budget
	stage  stage
}

// A region is where LookupEvents is asked, and by whom.
type region struct {
	name   string
	client *cloudtrail.Client
}

// An attribute is what LookupEvents finds events by. It takes at most one.
type attribute struct {
	key   types.LookupAttributeKey
	value string
}

func (a attribute) String() string { return string(a.key) + "=" + a.value }

const (
	lookupPrefix  = "lookup:"
	lookupHistory = 90 * 24 * time.Hour

	// lookupRate is how many calls a second an account may make in a region.
	lookupRate = 2
	// lastPause is the longest wait for a call that is throttled.
	lastPause = 16 * time.Second
	// maxLooked bounds what is held, in bytes of records: LookupEvents gives the newest event
	// first, so that nothing can come out before everything is known.
	maxLooked = 64 << 20
)

// openLookup opens lookup:REGION,…?ATTRIBUTE=VALUE, of which each part may be missing.
func openLookup(ctx context.Context, src string, opts Options) (iter.Seq2[*correlate.Event, error], error) {
	l := &lookup{src: printable(strings.TrimSuffix(src, ":")), opts: opts, budget: budget{left: maxLooked}}
	if err := l.open(ctx, strings.TrimPrefix(src, lookupPrefix)); err != nil {
		return nil, fmt.Errorf("%s: %w", l.src, err)
	}
	return l.events(ctx), nil
}

// open prepares all that is to be asked.
func (l *lookup) open(ctx context.Context, what string) error {
	named, asked, err := parseLookup(what)
	if err != nil {
		return err
	}
	if err := l.setTimes(); err != nil {
		return err
	}
	regions, err := l.chooseRegions(ctx, named)
	if err != nil {
		return err
	}
	l.chooseAsks(asked)
	for i, name := range regions {
		cfg, err := l.opts.AWS.config(ctx, name)
		if err != nil {
			return err
		}
		who, err := cfg.Credentials.Retrieve(ctx)
		if err != nil {
			return l.opts.AWS.failure(ctx, "AWS credentials", err)
		}
		if i == 0 {
			l.checkAccounts(who.AccountID)
		}
		l.regions = append(l.regions, region{name, cloudtrail.NewFromConfig(cfg, l.pacer(cmp.Or(who.AccountID, who.AccessKeyID), name))})
	}
	return nil
}

// checkAccounts says so if accounts are wanted that can't be asked for. own is the caller's, which the
// credentials don't always tell.
func (l *lookup) checkAccounts(own string) {
	others := slices.DeleteFunc(slices.Clone(l.opts.Query.Accounts), func(id string) bool { return id == own })
	if own != "" && len(others) > 0 {
		l.notice("LookupEvents has the events of account %s only: for --account %s ask as one of its principals (--profile, --role-arn)", own, strings.Join(others, ", "))
	}
}

// parseLookup reads what follows lookup:. asked is zero if it names no attribute.
func parseLookup(what string) (regions []string, asked attribute, err error) {
	list, query, hasQuery := strings.Cut(what, "?")
	if list != "" {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); !regionName.MatchString(name) {
				return nil, asked, fmt.Errorf("%q is not a region; want lookup:eu-west-1,us-east-1", name)
			}
			if !slices.Contains(regions, name) {
				regions = append(regions, name)
			}
		}
	}
	if !hasQuery {
		return regions, asked, nil
	}
	key, value, _ := strings.Cut(query, "=")
	known := types.LookupAttributeKey("").Values()
	i := slices.IndexFunc(known, func(k types.LookupAttributeKey) bool { return strings.EqualFold(string(k), key) })
	switch {
	case i < 0:
		return nil, asked, fmt.Errorf("unknown attribute %q: LookupEvents has %s", key, strings.Join(textsOf(known), ", "))
	case value == "":
		return nil, asked, fmt.Errorf("no value; want ?%s=VALUE", known[i])
	}
	return regions, attribute{known[i], value}, nil
}

func textsOf(keys []types.LookupAttributeKey) []string {
	var texts []string
	for _, k := range keys {
		texts = append(texts, string(k))
	}
	return texts
}

// setTimes sets the bounds of what is asked for. Both are included (T13).
func (l *lookup) setTimes() error {
	now := l.opts.now()
	l.start, l.end = now.Add(-lookupHistory), now
	q := l.opts.Query
	if !q.Until.IsZero() && q.Until.Before(l.start) {
		return fmt.Errorf("--until is before %s: LookupEvents keeps the last 90 days only; read s3:// or athena: instead", l.start.Format(time.RFC3339))
	}
	if !q.Until.IsZero() && q.Until.Before(now) {
		l.end = q.Until
	}
	if q.Since.After(l.end) {
		return errors.New("--since is in the future")
	}
	const never = "never data events, such as those of S3 objects"
	if !q.Since.Before(l.start) {
		l.start = q.Since
		l.notice("LookupEvents has management events only, %s", never)
		return nil
	}
	l.notice("LookupEvents has management events of the last 90 days only (from %s on), %s", l.start.Format(time.RFC3339), never)
	return nil
}

func (l *lookup) notice(format string, args ...any) {
	l.notices = append(l.notices, lookupPrefix+" "+fmt.Sprintf(format, args...))
}

// chooseRegions returns the regions to ask: those named, or else filtered for, or else the configured one and that
// of the global services (T12).
func (l *lookup) chooseRegions(ctx context.Context, named []string) ([]string, error) {
	wanted := l.opts.Query.Regions
	for _, name := range wanted {
		if !regionName.MatchString(name) {
			return nil, fmt.Errorf("--region %q is not a region", name)
		}
	}
	if len(named) > 0 && len(wanted) > 0 {
		both := slices.DeleteFunc(slices.Clone(named), func(name string) bool { return !slices.Contains(wanted, name) })
		if len(both) == 0 {
			return nil, fmt.Errorf("none of these regions is wanted: --region is %s", strings.Join(wanted, ", "))
		}
		return both, nil
	}
	if len(named)+len(wanted) > 0 {
		return slices.Concat(named, slices.Compact(slices.Sorted(slices.Values(wanted)))), nil
	}
	cfg, err := l.opts.AWS.config(ctx, "")
	if err != nil {
		return nil, err
	}
	regions := []string{cfg.Region}
	if global := globalRegion(cfg.Region); global != cfg.Region {
		regions = append(regions, global)
	}
	l.notice("asking %s: name others as in lookup:eu-west-1,us-east-1", strings.Join(regions, " and "))
	return regions, nil
}

// globalRegion is where the events of the partition's global services are, such as IAM's.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events
// for us-east-1; those of other partitions are assumed to be where their IAM is.
func globalRegion(region string) string {
	for _, partition := range []struct{ prefix, global string }{
		{"cn-", "cn-north-1"}, {"us-gov-", "us-gov-west-1"}, {"us-iso-", "us-iso-east-1"}, {"us-isob-", "us-isob-east-1"},
		{"eu-isoe-", region}, {"us-isof-", region}, {"eusc-", region},
	} {
		if strings.HasPrefix(region, partition.prefix) {
			return partition.global
		}
	}
	return "us-east-1"
}

// chooseAsks sets what LookupEvents is asked for: what the SOURCE says, or else what finds all
// that the filters want.
func (l *lookup) chooseAsks(asked attribute) {
	if asked != (attribute{}) {
		l.asks = []attribute{asked}
		more := ""
		if strings.HasPrefix(string(asked.key), "Resource") {
			more = ", and most denied calls list no resource"
		}
		l.notice("asking for %s: events without it aren't seen%s", asked, more)
		return
	}
	var missing []string
	if l.asks, missing = asksFor(l.opts.Query); len(l.asks) == 0 {
		l.asks = []attribute{{}}
		return
	}
	var texts []string
	for _, a := range l.asks {
		texts = append(texts, a.String())
	}
	text := "asking for " + strings.Join(texts, ", ")
	if len(missing) > 0 {
		text += ": not seen are " + strings.Join(missing, " and ") + "; lookup: without that filter sees all"
	}
	l.notice("%s", text)
}

// An askRow says by which attribute the events of a caller are found.
type askRow struct {
	caller *regexp.Regexp // the caller's access key or ARN, exactly; its group is the attribute's value
	key    types.LookupAttributeKey
	// made finds the calls that made the caller's session, which tell its session policy
	// (T32), under the same value; "" if there are none to find.
	made types.LookupAttributeKey
	// missing is which events of the caller the attribute doesn't find, if any.
	missing string
}

// askRows are the callers whose events an attribute finds. There is none for a role, whose sessions have any name. Nor
// does a filter for an action make an EventName, or one for a service an EventSource: which operations need an action
// can't be listed, as iam:PassRole shows. Nor one for a resource a ResourceName: most denied calls list no
// resource.
//
// A role's session is found by its name: assumed (T14), as API_Event has "user name or role name" of the requester.
// That AssumeRole lists the session's key and name as resources is observed, not documented.
var askRows = []askRow{
	{regexp.MustCompile(`^((?:AKIA|ASIA)[A-Z0-9]+)$`), types.LookupAttributeKeyAccessKeyId, types.LookupAttributeKeyResourceName, ""},
	{regexp.MustCompile(`^arn:[a-z-]+:iam::[0-9]{12}:user/(?:[^*?]*/)?([^/*?]+)$`), types.LookupAttributeKeyUsername, "", "the user's federated sessions"},
	{regexp.MustCompile(`^arn:[a-z-]+:sts::[0-9]{12}:assumed-role/[^/*?]+/([^/*?]+)$`), types.LookupAttributeKeyUsername, types.LookupAttributeKeyResourceName, ""},
}

// asksFor returns what finds all that a query wants; nil if only asking for everything does.
func asksFor(q Query) (asks []attribute, missing []string) {
	callers := q.AccessKeys
	if len(callers) == 0 {
		callers = q.Principals
	}
	for _, caller := range callers {
		i := slices.IndexFunc(askRows, func(row askRow) bool { return row.caller.MatchString(caller) })
		if i < 0 {
			return nil, nil
		}
		row, value := askRows[i], askRows[i].caller.FindStringSubmatch(caller)[1]
		asks = append(asks, attribute{row.key, value})
		if row.made != "" && q.Want == Findings {
			asks = append(asks, attribute{row.made, value})
		}
		if row.missing != "" && !slices.Contains(missing, row.missing) {
			missing = append(missing, row.missing)
		}
	}
	return asks, missing
}

// A waiter lets calls through at a pace.
type waiter interface {
	Wait(context.Context) error
}

// lookupPaces hold the pace of all calls of the process, by account and region.
var lookupPaces = struct {
	sync.Mutex
	of map[string]waiter
}{of: make(map[string]waiter)}

// lookupPace returns what holds the pace of an account's calls in a region (T15).
func lookupPace(account, region string) waiter {
	lookupPaces.Lock()
	defer lookupPaces.Unlock()
	key := account + " " + region
	if lookupPaces.of[key] == nil {
		lookupPaces.of[key] = rate.NewLimiter(lookupRate, 1)
	}
	return lookupPaces.of[key]
}

// pacer returns what makes each attempt of a client's calls wait for its turn.
func (l *lookup) pacer(account, region string) func(*cloudtrail.Options) {
	pace := l.opts.pace
	if pace == nil {
		pace = lookupPace
	}
	turn := pace(account, region)
	return cloudtrail.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("pace", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if err := turn.Wait(ctx); err != nil {
				return middleware.FinalizeOutput{}, middleware.Metadata{}, err
			}
			return next.HandleFinalize(ctx, in)
		}), "Retry", middleware.After)
	})
}

// events yields the events of all regions by time and id: first what is to be known, then what can't be
// used, then the events. When ctx is done, what is known by then comes out before its error.
func (l *lookup) events(ctx context.Context) iter.Seq2[*correlate.Event, error] {
	return func(yield func(*correlate.Event, error) bool) {
		for _, text := range l.notices {
			if !yield(nil, &Notice{Text: text}) {
				return
			}
		}
		hauls := make([]regionHaul, len(l.regions))
		var group errgroup.Group
		for i, r := range l.regions {
			group.Go(func() error {
				hauls[i].read(ctx, l, r)
				return nil
			})
		}
		_ = group.Wait() // what went wrong is in the hauls
		l.opts.Progress.Stage.Store(nil)
		var events []*correlate.Event
		for _, h := range hauls {
			for _, err := range h.errs {
				if !yield(nil, err) {
					return
				}
			}
			events = append(events, h.events...)
		}
		slices.SortFunc(events, func(a, b *correlate.Event) int { return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID)) })
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// A regionHaul is what was read of a region.
type regionHaul struct {
	events []*correlate.Event
	errs   []error
}

// read reads a region.
func (h *regionHaul) read(ctx context.Context, l *lookup, r region) {
	part := lookupPrefix + r.name
	seen := make(map[string]bool) // by several asks
	in := &input{ctx: ctx, opts: l.opts}
	in.emit = func(e *correlate.Event, err error) error {
		switch {
		case err != nil:
			h.errs = append(h.errs, err)
		case !useful(e, l.opts.Query.Want):
		case e.ID != "" && seen[e.ID]:
		case !l.budget.take(e):
			return fmt.Errorf("stopped at %s, as what is wanted takes more than %d MB: --until %[1]s reads on from here", e.Time.Format(time.RFC3339), maxLooked>>20)
		default:
			seen[e.ID] = true
			h.events = append(h.events, e)
		}
		return nil
	}
	t := &text{in: in, path: part}
	defer t.count()
	var err error
	for _, ask := range l.asks {
		if err = l.ask(ctx, r, ask, t); err != nil {
			break
		}
	}
	for _, s := range t.skips {
		h.errs = append(h.errs, &s)
	}
	if err != nil && ctx.Err() == nil {
		h.errs = append(h.errs, &PartError{Part: part, Err: err})
	}
}

// ask reads all pages of an ask into t.
func (l *lookup) ask(ctx context.Context, r region, ask attribute, t *text) error {
	in := &cloudtrail.LookupEventsInput{StartTime: &l.start, EndTime: &l.end, MaxResults: aws.Int32(50)}
	if ask != (attribute{}) {
		in.LookupAttributes = []types.LookupAttribute{{AttributeKey: ask.key, AttributeValue: &ask.value}}
	}
	oldest, pages := l.end, 0
	var next *string
	for p := cloudtrail.NewLookupEventsPaginator(r.client, in, func(o *cloudtrail.LookupEventsPaginatorOptions) { o.StopOnDuplicateToken = true }); p.HasMorePages(); {
		page, err := patiently(ctx, l.opts, p.NextPage)
		if err != nil {
			doing := "event history"
			if pages > 0 {
				doing = "event history before " + oldest.Format(time.RFC3339)
			}
			return l.opts.AWS.failure(ctx, doing, err)
		}
		for _, e := range page.Events {
			if e.EventTime != nil {
				oldest = e.EventTime.UTC()
			}
			at := place{index: t.index}
			t.index++
			if err := l.opts.readRecord(t, at, aws.ToString(e.CloudTrailEvent)); err != nil { // all that counts of it (T16)
				return err
			}
		}
		pages++
		next = page.NextToken
		l.stage.show(l, r.name, pages, oldest)
	}
	if aws.ToString(next) != "" {
		return fmt.Errorf("event history before %s: LookupEvents names the page that it gave as the next one", oldest.Format(time.RFC3339))
	}
	return nil
}

// patiently makes a call that can be repeated, and again as long as it is throttled in spite of the SDK's
// attempts: others who use the account share its rate. What goes wrong in another way isn't waited for.
func patiently[T, O any](ctx context.Context, opts Options, call func(context.Context, ...func(*O)) (T, error)) (T, error) {
	for pause := time.Second; ; pause *= 2 {
		out, err := call(ctx)
		if !isThrottling(err) || pause > lastPause {
			return out, err
		}
		if err := opts.wait(ctx, pause); err != nil {
			return out, err
		}
	}
}

// useful reports whether an event matters to what events are wanted for, as far as it alone can tell: what is
// held is to be little.
func useful(e *correlate.Event, want Want) bool {
	switch want {
	case Denials:
		return len(correlate.DenialsOf(e, false)) > 0
	case Errors:
		return len(correlate.DenialsOf(e, true)) > 0
	case Findings:
		return makesSession(e) || correlate.ChangesPolicies(e) || len(correlate.DenialsOf(e, false)) > 0
	}
	return true
}

// makesSession reports whether an event is a call that makes sessions, and went well (T32).
func makesSession(e *correlate.Event) bool {
	return e.Source == "sts.amazonaws.com" && e.ErrorCode == "" && (strings.HasPrefix(e.Name, "AssumeRole") || e.Name == "GetFederationToken")
}

// A budget is how many bytes of records may still be held.
type budget struct {
	mu   sync.Mutex
	left int
}

// take takes an event's part; false if there isn't enough left.
func (b *budget) take(e *correlate.Event) bool {
	const others = 1 << 10 // the fields that aren't raw
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left -= others + len(e.RequestParameters) + len(e.ResponseElements) + len(e.AdditionalData) + len(e.Context)
	return b.left >= 0
}

// A stage tells how far each region is.
type stage struct {
	mu sync.Mutex
	of map[string]string
}

// show shows how far a region is: the pages don't tell how many there will be, but the times do (T15).
func (s *stage) show(l *lookup, region string, pages int, oldest time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = make(map[string]string)
	}
	done := 100
	if span := l.end.Sub(l.start); span > 0 {
		done = int(100 * l.end.Sub(oldest) / span)
	}
	s.of[region] = fmt.Sprintf("%s back to %s (%d%%, page %d)", region, oldest.Format("2006-01-02 15:04"), done, pages)
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(s.of)) {
		texts = append(texts, s.of[name])
	}
	text := strings.Join(texts, "; ")
	l.opts.Progress.Stage.Store(&text)
}
