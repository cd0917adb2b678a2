package spec

// The domains of dataset groups.
const (
	ecommerce     = "ECOMMERCE"
	videoOnDemand = "VIDEO_ON_DEMAND"
)

// The event types that domain recipes know by name; case does not matter.
const (
	view     = "View"
	purchase = "Purchase"
	watch    = "Watch"
)

// together lets two items be neighbours from two common users on, where the
// events that count are few.
func together() map[string]string { return map[string]string{"min_cointeraction_count": "2"} }

// ecommerceRecipes and videoRecipes are for recommenders: which events they
// need and what they leave out is from the service's pages of use cases.
func ecommerceRecipes() []Recipe {
	return inDomain(ecommerce, []Recipe{
		{
			Name: "aws-ecomm-popular-items-by-views", Type: typePopular, Kind: User, Event: view, Same: true,
			Description: "Most viewed: the items that most customers viewed." + behindCount, Algorithm: Popularity,
		},
		{
			Name: "aws-ecomm-popular-items-by-purchases", Type: typePopular, Kind: User, Event: purchase, Same: true,
			Description: "Best sellers: the items that most customers purchased." + behindCount, Algorithm: Popularity,
		},
		{
			Name: "aws-ecomm-frequently-bought-together", Type: typeRelated, Kind: Related, Event: purchase, Fixed: together(),
			Description: "Items that customers purchase who purchase an item." + behindNearest, Algorithm: ItemKNN,
		},
		{
			Name: "aws-ecomm-customers-who-viewed-x-also-viewed", Type: typeRelated, Kind: Related, Event: view, LeaveOut: []string{purchase}, Fixed: together(),
			Description: "Items that customers viewed who viewed an item, without those that the user purchased." + behindNearest, Algorithm: ItemKNN,
		},
		{
			Name: "aws-ecomm-recommended-for-you", Type: typeUser, Kind: User, LeaveOut: []string{purchase}, Scores: ScoresSoftmax, Exploration: true,
			Description: "Items for a user, without those that the user purchased." + behindBlend, Algorithm: Blend,
		},
	})
}

func videoRecipes() []Recipe {
	return inDomain(videoOnDemand, []Recipe{
		{
			Name: "aws-vod-because-you-watched-x", Type: typeRelated, Kind: Related, Event: watch, LeaveOut: []string{watch}, Fixed: together(),
			Description: "Videos that users watched who watched a video, without those that the user watched." + behindNearest, Algorithm: ItemKNN,
		},
		{
			Name: "aws-vod-more-like-x", Type: typeRelated, Kind: Related, LeaveOut: []string{watch}, Fixed: together(),
			Description: "Videos like a video, by who interacted with them and by what is said of them, without those that the user watched." + behindSimilar, Algorithm: Similar,
		},
		{
			Name: "aws-vod-most-popular", Type: typePopular, Kind: User, Event: watch, Same: true,
			Description: "The videos that most users watched." + behindCount, Algorithm: Popularity,
		},
		{
			Name: "aws-vod-trending-now", Type: typePopular, Kind: User, Same: true, Fixed: map[string]string{ParamTrend: "2 hours"},
			Description: "The videos whose interactions rise the most from one window of two hours to the next; looked at again every two hours." + behindRise, Algorithm: Trending,
		},
		{
			Name: "aws-vod-top-picks", Type: typeUser, Kind: User, LeaveOut: []string{watch}, Scores: ScoresSoftmax, Exploration: true,
			Description: "Videos for a user, without those that the user watched." + behindBlend, Algorithm: Blend,
		},
	})
}

// inDomain fills in what all recipes of a domain have in common.
func inDomain(domain string, rs []Recipe) []Recipe {
	for i := range rs {
		r := &rs[i]
		r.Domain, r.Transformation, r.Built = domain, r.Name, true
		if r.Scores == "" {
			r.Scores = ScoresNone
		}
	}
	return rs
}
