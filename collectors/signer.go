package collectors

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
)

// signer is AWS Signer, as it is asked.
//
// https://docs.aws.amazon.com/signer/latest/api/Welcome.html
var signer = jsonService{id: "signer", signs: "signer", host: "signer"}

// signerPart is the permissions of signing profiles, which no call gives as a policy document.
var signerPart = part{
	name:        "resources/signer",
	scope:       perRegion,
	types:       []string{"signing profile"},
	permissions: []string{"signer:ListProfilePermissions", "signer:ListSigningProfiles"},
	collect: func(ctx context.Context, c *collection) {
		api := newJSON(ctx, c.cfg, signer)
		all := listed(ctx, c, "signer:ListSigningProfiles", "", signingProfiles(api), func(p *profilePage) []signingProfile { return p.Profiles })
		forEach(ctx, c, all, func(ctx context.Context, p signingProfile) { addSigningProfile(ctx, c, api, p) })
	},
}

type profilePage struct {
	Profiles  []signingProfile
	NextToken *string
}

type signingProfile struct{ ARN, ProfileName string }

// signingProfiles is the list of the account's profiles, canceled ones included: what they signed can be verified and revoked.
//
// https://docs.aws.amazon.com/signer/latest/api/API_ListSigningProfiles.html
func signingProfiles(api *jsonClient) *tokenPaginator[*profilePage] {
	return pagesOfJSON(api, func(token *string) jsonCall {
		query := url.Values{"includeCanceled": {"true"}}
		if token != nil {
			query.Set("nextToken", *token)
		}
		return jsonCall{operation: "ListSigningProfiles", method: http.MethodGet, path: "/signing-profiles", query: query}
	}, func(p *profilePage) *string { return p.NextToken })
}

type permissionPage struct {
	Permissions []profilePermission
	NextToken   *string
}

// A profilePermission is a statement of a profile's policy, as far as Signer tells.
type profilePermission struct {
	StatementID    string `json:"statementId"`
	Principal      string `json:"principal"`
	Action         string `json:"action"`
	ProfileVersion string `json:"profileVersion,omitempty"`
}

// A profileExtra has the permissions of a profile.
type profileExtra struct {
	Permissions []profilePermission `json:"permissions"`
}

// addSigningProfile reads the permissions of a profile. Without any it has no policy (rule U19); else its policy
// isn't known, only what Signer tells of it.
//
// https://docs.aws.amazon.com/signer/latest/api/API_ListProfilePermissions.html
func addSigningProfile(ctx context.Context, c *collection, api *jsonClient, p signingProfile) {
	i := newItem(p.ARN, "signing profile")
	list := pagesOfJSON(api, func(token *string) jsonCall {
		return jsonCall{operation: "ListProfilePermissions", method: http.MethodGet, path: "/signing-profiles/" + url.PathEscape(p.ProfileName) + "/permissions", query: tokenQuery(token)}
	}, func(p *permissionPage) *string { return p.NextToken })
	var all []profilePermission
	for page, err := range pages(ctx, list) {
		if !c.hasPolicy(i, "signer:ListProfilePermissions", err, "ResourceNotFoundException") {
			c.add(i)
			return
		}
		all = append(all, page.Permissions...)
	}
	slices.SortFunc(all, func(a, b profilePermission) int { return cmp.Compare(a.StatementID, b.StatementID) })
	if len(all) == 0 {
		i.Policy = noPolicy
	} else {
		i.Extra = profileExtra{all}
	}
	c.add(i)
}
