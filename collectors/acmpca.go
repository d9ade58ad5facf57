package collectors

import "context"

// acmPCA is AWS Private CA, as it is asked.
//
// https://docs.aws.amazon.com/privateca/latest/APIReference/Welcome.html
var acmPCA = jsonService{id: "ACM PCA", signs: "acm-pca", host: "acm-pca", target: "ACMPrivateCA", plainInGov: true}

// authoritiesPart is the policies of private certificate authorities.
var authoritiesPart = part{
	name:        "resources/acm-pca",
	scope:       perRegion,
	types:       []string{"certificate authority"},
	permissions: []string{"acm-pca:GetPolicy", "acm-pca:ListCertificateAuthorities"},
	collect: func(ctx context.Context, c *collection) {
		api := newJSON(ctx, c.cfg, acmPCA)
		all := listed(ctx, c, "acm-pca:ListCertificateAuthorities", "", authorities(api), func(p *authorityPage) []authority { return p.CertificateAuthorities })
		forEach(ctx, c, all, func(ctx context.Context, a authority) { addAuthority(ctx, c, api, a) })
	},
}

type authorityPage struct {
	CertificateAuthorities []authority
	NextToken              *string
}

type authority struct{ Arn, Status string }

// authorities is the list of the account's own.
//
// https://docs.aws.amazon.com/privateca/latest/APIReference/API_ListCertificateAuthorities.html
func authorities(api *jsonClient) *tokenPaginator[*authorityPage] {
	type input struct {
		ResourceOwner string
		NextToken     *string `json:",omitempty"`
	}
	return pagesOfJSON(api, func(token *string) jsonCall {
		return jsonCall{operation: "ListCertificateAuthorities", body: input{"SELF", token}}
	}, func(p *authorityPage) *string { return p.NextToken })
}

// addAuthority reads the policy of an authority. One that is deleted, and may be restored for some days, has none to be read.
//
// https://docs.aws.amazon.com/privateca/latest/APIReference/API_GetPolicy.html
func addAuthority(ctx context.Context, c *collection, api *jsonClient, a authority) {
	if a.Status == "DELETED" {
		return
	}
	i := newItem(a.Arn, "certificate authority")
	var out struct{ Policy string }
	err := api.ask(ctx, jsonCall{operation: "GetPolicy", body: struct{ ResourceArn string }{a.Arn}}, &out)
	if c.hasPolicy(i, "acm-pca:GetPolicy", err, "ResourceNotFoundException") {
		i.Policy = documentOf(out.Policy)
	}
	c.add(i)
}
