package correlate

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// A Coverage counts the kinds of events that were seen: a denial of a kind that a trail doesn't log
// can't be. The zero Coverage has seen none.
type Coverage struct {
	Events      int
	First, Last time.Time // eventTime; zero if no event has one

	Reads, Writes int            // management events
	Data          map[string]int // data events, by service: s3
	Network       int            // network activity events
	Other         int            // whose kind isn't recorded, as before eventVersion 1.07

	accounts, regions map[string]bool
}

// Add counts an event, denied or not.
func (c *Coverage) Add(e *Event) {
	if c.Events == 0 {
		c.Data, c.accounts, c.regions = map[string]int{}, map[string]bool{}, map[string]bool{}
	}
	c.Events++
	if at := e.Time; !at.IsZero() {
		if c.First.IsZero() || at.Before(c.First) {
			c.First = at
		}
		if at.After(c.Last) {
			c.Last = at
		}
	}
	switch {
	case e.Category == "Data":
		c.Data[strings.TrimSuffix(e.Source, ".amazonaws.com")]++
	case e.Category == "NetworkActivity":
		c.Network++
	case e.Category == "Management" && e.ReadOnly == "true":
		c.Reads++
	case e.Category == "Management":
		c.Writes++
	default:
		c.Other++
	}
	// Whose trail it is from; a call is logged where its caller is (rule T48).
	if e.RecipientAccount != "" {
		c.accounts[e.RecipientAccount] = true
	}
	if e.Region != "" {
		c.regions[e.Region] = true
	}
}

// Accounts are those whose trails the events are from, sorted.
func (c *Coverage) Accounts() []string { return slices.Sorted(maps.Keys(c.accounts)) }

// Regions are those of the events, sorted.
func (c *Coverage) Regions() []string { return slices.Sorted(maps.Keys(c.regions)) }

// An Unseen is a kind of event of which there is none. That doesn't prove that it isn't logged.
type Unseen struct {
	Kind  UnseenKind
	Names []string // services, accounts or regions; none if that doesn't count
}

// An UnseenKind is what events are told apart by.
type UnseenKind string

// The kinds.
const (
	UnseenReads    UnseenKind = "managementRead"
	UnseenWrites   UnseenKind = "managementWrite"
	UnseenData     UnseenKind = "data"            // of services, whose objects, items or messages only data events tell of (rule T47)
	UnseenNetwork  UnseenKind = "networkActivity" // which tell what a VPC endpoint policy denied (rule T47)
	UnseenAccounts UnseenKind = "account"
	UnseenRegions  UnseenKind = "region"
)

// dataServices are the services whose calls most are data events (rule T47).
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
var dataServices = []string{"dynamodb", "lambda", "s3", "sns", "sqs"}

// Unseen says what wasn't seen: kinds of events, and of the accounts and regions that are expected, those of
// which there is no event.
func (c *Coverage) Unseen(accounts, regions []string) []Unseen {
	var all []Unseen
	add := func(kind UnseenKind, unseen bool, names ...string) {
		if unseen {
			all = append(all, Unseen{kind, names})
		}
	}
	without := func(list []string, seen func(string) bool) []string {
		return slices.DeleteFunc(slices.Clone(list), seen)
	}
	add(UnseenWrites, c.Writes+c.Other == 0)
	add(UnseenReads, c.Reads+c.Other == 0)
	data := without(dataServices, func(s string) bool { return c.Data[s] > 0 })
	add(UnseenData, len(data) > 0, data...)
	add(UnseenNetwork, c.Network == 0)
	missing := without(accounts, func(id string) bool { return c.accounts[id] })
	add(UnseenAccounts, len(missing) > 0, missing...)
	missing = without(regions, func(r string) bool { return c.regions[r] })
	add(UnseenRegions, len(missing) > 0, missing...)
	return all
}
