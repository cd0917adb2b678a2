package world

// Our own words, of which the names of goods are made. A category has things;
// a cluster of taste has styles, which show up as GENRES.
var (
	adjectives = []string{
		"Amber", "Brisk", "Calm", "Dapper", "Early", "Faint", "Gentle", "Hollow", "Ivory", "Jaunty", "Keen", "Lunar",
		"Mellow", "Nimble", "Opal", "Plain", "Quiet", "Rustic", "Silver", "Tidal", "Umber", "Velvet", "Woven", "Young",
		"Zesty", "Bold", "Copper", "Dusky", "Folding", "Striped", "Twin", "Winding",
	}
	categories = []category{
		{"Kitchen", 1900, []string{"Kettle", "Skillet", "Teapot", "Whisk", "Ladle", "Colander", "Breadboard", "Grinder"}},
		{"Garden", 2400, []string{"Trowel", "Planter", "Lantern", "Birdhouse", "Rake", "Hammock", "Trellis", "Sprinkler"}},
		{"Books", 1200, []string{"Atlas", "Almanac", "Novel", "Songbook", "Primer", "Chronicle", "Bestiary", "Diary"}},
		{"Music", 6900, []string{"Ukulele", "Tambourine", "Zither", "Metronome", "Bongo", "Melodica", "Recorder", "Chime"}},
		{"Sport", 3900, []string{"Racket", "Skipping Rope", "Paddle", "Frisbee", "Balance Board", "Shuttlecock", "Oar", "Quoit"}},
		{"Travel", 5400, []string{"Satchel", "Compass", "Trunk", "Canteen", "Bedroll", "Passport Case", "Daypack", "Umbrella"}},
		{"Toys", 1500, []string{"Kite", "Puppet", "Marble Run", "Spinning Top", "Yo-yo", "Puzzle", "Rocking Horse", "Abacus"}},
		{"Lighting", 3300, []string{"Desk Lamp", "Chandelier", "Candle", "Sconce", "Night Light", "Torch", "Lampshade", "Candlestick"}},
		{"Office", 1700, []string{"Inkwell", "Ledger", "Stapler", "Pinboard", "Letter Rack", "Stool", "Easel", "Paperweight"}},
		{"Craft", 1300, []string{"Loom", "Thimble", "Spindle", "Paintbrush", "Chisel", "Knitting Bag", "Stencil", "Bobbin"}},
		{"Bath", 1100, []string{"Sponge", "Soap Dish", "Bath Mat", "Bathrobe", "Loofah", "Mirror", "Towel", "Basin"}},
		{"Pets", 1600, []string{"Leash", "Scratching Post", "Feeder", "Aquarium", "Basket", "Collar", "Perch", "Hutch"}},
	}
	styles = []string{
		"Antique", "Bohemian", "Coastal", "Deco", "Everyday", "Festive", "Geometric", "Handmade", "Industrial", "Japanese",
		"Kids", "Luxury", "Minimal", "Nordic", "Outdoor", "Pastel", "Quirky", "Retro", "Seasonal", "Tropical",
		"Upcycled", "Vintage", "Wellness", "Compact",
	}
	memberships = []string{"Basic", "Basic", "Basic", "Plus", "Plus", "Gold"}
)

type category struct {
	name   string
	price  int // cents of an ordinary thing
	things []string
}

// nameOf is the name of the n-th item of a category; different n, different name.
func (c category) nameOf(n int) string {
	a, t := len(adjectives), len(c.things)
	// 2 654 435 761 has no factor in common with the number of combinations, so
	// neighbours look unlike each other and none comes twice in one round.
	combinations := a * a * t
	round, k := n/combinations, int(uint64(n%combinations)*2_654_435_761%uint64(combinations))
	first, second := adjectives[k/t%a], adjectives[k/t/a]
	name := first + " " + second + " "
	if first == second {
		name = first + " "
	}
	name += c.things[k%t]
	for ; round > 0; round-- {
		name += " II"
	}
	return name
}
