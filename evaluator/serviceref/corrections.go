package serviceref

import "slices"

// A correction gives a condition key the placeholder that the reference means and lacks:
// without it no key of a policy would be found. The data itself is never edited.
type correction struct {
	prefix   string // the service
	key      string // as in the data
	template string // as it should be
	evidence string // what the service's page of the reference says of the key, or has beside it
}

// corrections apply to keys that the reference spells with an example for a placeholder
// or breaks off at it.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var corrections = []correction{
	{
		"elasticloadbalancing", "elasticloadbalancing:ResourceTag/", "elasticloadbalancing:ResourceTag/${TagKey}",
		"preface of a tag's key and value; the page has the key with ${TagKey}, too",
	},
	{
		"glacier", "glacier:ResourceTag/", "glacier:ResourceTag/${TagKey}",
		"filters by a customer's tag: the tag's key has to follow",
	},
	{
		"sagemaker", "sagemaker:ResourceTag/", "sagemaker:ResourceTag/${TagKey}",
		"preface of a tag's key and value; the page has the key with ${TagKey}, too",
	},
	{
		"secretsmanager", "secretsmanager:ResourceTag/tag-key", "secretsmanager:ResourceTag/${TagKey}",
		"filters by a tag's key and value; AWS's examples use secretsmanager:ResourceTag/ServerName",
	},
	{
		"ssm", "ssm:resourceTag/tag-key", "ssm:resourceTag/${TagKey}",
		"filters by a tag's key and value; the page has the key with ${TagKey}, too",
	},
}

// correct applies the corrections of a service to it, once, after it was decoded.
func correct(s *Service) {
	for _, c := range corrections {
		if c.prefix == s.Prefix {
			c.apply(s)
		}
	}
}

// apply replaces the key wherever it stands. Lists are shared between actions, so each
// gets a copy rather than being changed in place.
func (c correction) apply(s *Service) {
	replace := func(list *[]string) {
		if !slices.Contains(*list, c.key) {
			return
		}
		l := slices.DeleteFunc(slices.Clone(*list), func(k string) bool { return k == c.key || k == c.template })
		l = append(l, c.template)
		slices.SortFunc(l, compareFold)
		*list = l
	}
	for i := range s.Actions {
		replace(&s.Actions[i].Keys)
		for j := range s.Actions[i].Resources {
			replace(&s.Actions[i].Resources[j].Keys)
		}
	}
	for i := range s.ResourceTypes {
		replace(&s.ResourceTypes[i].Keys)
	}
	i := slices.IndexFunc(s.Keys, func(k Key) bool { return k.Name == c.key })
	if i < 0 {
		return
	}
	if slices.ContainsFunc(s.Keys, func(k Key) bool { return k.Name == c.template }) {
		s.Keys = slices.Delete(s.Keys, i, i+1) // the data has both spellings
		return
	}
	s.Keys[i].Name = c.template
	slices.SortFunc(s.Keys, func(a, b Key) int { return compareFold(a.Name, b.Name) })
}
