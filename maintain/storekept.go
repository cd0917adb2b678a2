package maintain

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/attune-io/attune"
)

// Refresh is how far the data of one day has come: loaded, learned, live. There
// is one for each campaign (or solution without any) and base date, for ever.
type Refresh struct {
	Name     string `json:"campaignName"`
	BaseDate int    `json:"baseDate"` // yyyymmdd
	Run      string `json:"run"`      // that works on it, or did last

	ImportArn    string    `json:"datasetImportJobArn,omitempty"` // of the interactions
	ImportStatus string    `json:"datasetImportJobStatus,omitempty"`
	ImportAt     time.Time `json:"datasetImportJobDatetime,omitzero"`

	Solution      string    `json:"solutionName,omitempty"`
	VersionArn    string    `json:"solutionVersionArn,omitempty"`
	VersionStatus string    `json:"solutionVersionStatus,omitempty"`
	VersionAt     time.Time `json:"solutionVersionDatetime,omitzero"`

	CampaignArn    string    `json:"campaignArn,omitempty"`
	CampaignStatus string    `json:"campaignStatus,omitempty"`
	CampaignAt     time.Time `json:"campaignDatetime,omitzero"`

	version int // 0: not in the table yet
}

// errMoved says that somebody else moved a row on first.
var errMoved = errors.New("the row has moved on")

// saveRefresh writes r if its row is still the one that was read; else errMoved.
func (s *Store) saveRefresh(ctx context.Context, r *Refresh) error {
	body, err := text(r)
	if err != nil {
		return err
	}
	stmt, args := `UPDATE refresh SET run = ?, body = ?, version = version + 1 WHERE name = ? AND base_date = ? AND version = ?`,
		[]any{r.Run, body, r.Name, r.BaseDate, r.version}
	if r.version == 0 {
		stmt, args = `INSERT INTO refresh (run, body, name, base_date, version) VALUES (?, ?, ?, ?, 1) ON CONFLICT DO NOTHING`, args[:4]
	}
	res, err := s.db.ExecContext(ctx, s.db.Bind(stmt), args...)
	if err != nil {
		return wrap("keep the refresh of "+r.Name, err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		err = errMoved
	}
	if err == nil {
		r.version++
	}
	return err
}

// refresh reads one row; one that is not there yet has version 0.
func (s *Store) refresh(ctx context.Context, name string, date int) (*Refresh, error) {
	r, err := scanRefresh(s.db.QueryRowContext(ctx, s.db.Bind(`SELECT body, version FROM refresh WHERE name = ? AND base_date = ?`), name, date).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return &Refresh{Name: name, BaseDate: date}, nil
	}
	return &r, wrap("read the refresh of "+name, err)
}

func scanRefresh(scan func(...any) error) (r Refresh, err error) {
	var body string
	if err := scan(&body, &r.version); err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(body), &r)
}

// Refreshes lists a page of refreshes, newest date first; zero arguments do not
// restrict. before is the date to list below, for the next page of one name.
func (s *Store) Refreshes(ctx context.Context, name string, date, before int) ([]Refresh, error) {
	query, args := `SELECT body, version FROM refresh WHERE 1 = 1`, []any{}
	if name != "" {
		query, args = query+` AND name = ?`, append(args, name)
	}
	if date != 0 {
		query, args = query+` AND base_date = ?`, append(args, date)
	}
	if before != 0 {
		query, args = query+` AND base_date < ?`, append(args, before)
	}
	list, err := collect(ctx, s.db, query+` ORDER BY base_date DESC, name LIMIT ?`, append(args, maxRunsPage), scanRefresh)
	return list, wrap("list refreshes", err)
}

// Deployment is one solution version that a campaign was given.
type Deployment struct {
	Campaign string    `json:"campaignArn"`
	Place    int       `json:"place"` // 1 is the first that was seen
	Version  string    `json:"solutionVersionArn"`
	At       time.Time `json:"at"`
	Run      string    `json:"run,omitempty"` // "": it was there before any run
	// RolledFrom is the ARN of the version that it was rolled back from.
	RolledFrom    string `json:"rolledBackFrom,omitempty"`
	Configuration string `json:"configuration"`
}

// deployed notes which version a campaign serves; the one that it has served
// all along is not noted again. first: only if nothing is known of it yet.
func (s *Store) deployed(ctx context.Context, d Deployment, first bool) error {
	return wrap("note the deployment of "+d.Campaign, s.db.InTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var last Deployment
		err := tx.QueryRowContext(ctx, s.db.Bind(`SELECT place, solution_version FROM deployment WHERE campaign = ? ORDER BY place DESC LIMIT 1`), d.Campaign).
			Scan(&last.Place, &last.Version)
		if err != nil && !errors.Is(err, sql.ErrNoRows) || last.Version == d.Version || first && last.Place > 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, s.db.Bind(`INSERT INTO deployment (campaign, place, solution_version, at, run, rolled_from, configuration) VALUES (?, ?, ?, ?, ?, ?, ?)`),
			d.Campaign, last.Place+1, d.Version, millis(d.At), d.Run, d.RolledFrom, d.Configuration)
		return err
	}))
}

// Deployments lists what a campaign was given, newest first, the newest
// maxRunsPage of it. campaign is an ARN or its last part.
func (s *Store) Deployments(ctx context.Context, campaign string) ([]Deployment, error) {
	list, err := collect(ctx, s.db, `SELECT campaign, place, solution_version, at, run, rolled_from, configuration FROM deployment
		WHERE (campaign = ? OR `+endsWith("campaign")+`) ORDER BY place DESC LIMIT ?`, append(ending(campaign, ":campaign/"), maxRunsPage), func(scan func(...any) error) (d Deployment, err error) {
		var at int64
		err = scan(&d.Campaign, &d.Place, &d.Version, &at, &d.Run, &d.RolledFrom, &d.Configuration)
		d.At = moment(at)
		return d, err
	})
	return list, wrap("list the deployments of "+campaign, err)
}

// Metric is one metric of one solution version, at the time the version was done.
type Metric struct {
	Solution string    `json:"solutionArn"`
	Recipe   string    `json:"recipeArn"`
	Version  string    `json:"solutionVersionArn"`
	Metric   string    `json:"metric"`
	At       time.Time `json:"at"`
	Value    float64   `json:"value"`
}

// measured keeps metrics; those that are there already stay.
func (s *Store) measured(ctx context.Context, list []Metric) error {
	for _, m := range list {
		_, err := s.db.ExecContext(ctx, s.db.Bind(`INSERT INTO solution_metric (solution, recipe, version, metric, at, value) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
			m.Solution, m.Recipe, m.Version, m.Metric, millis(m.At), m.Value)
		if err != nil {
			return wrap("keep the metrics of "+m.Version, err)
		}
	}
	return nil
}

// maxMetrics bounds an answer of Metrics: a day's retraining for years, of one metric.
const maxMetrics = 10_000

// Metrics lists what was measured of a solution, oldest first, the newest
// maxMetrics of it; metric "" is all. solution is an ARN or its last part.
func (s *Store) Metrics(ctx context.Context, solution, metric string) ([]Metric, error) {
	if solution == "" {
		return nil, attune.Errorf(attune.Invalid, "name a solution")
	}
	query, args := `SELECT solution, recipe, version, metric, at, value FROM solution_metric WHERE (solution = ? OR `+endsWith("solution")+`)`,
		ending(solution, ":solution/")
	if metric != "" {
		query, args = query+` AND metric = ?`, append(args, metric)
	}
	list, err := collect(ctx, s.db, query+` ORDER BY at DESC, version, metric LIMIT ?`, append(args, maxMetrics),
		func(scan func(...any) error) (m Metric, err error) {
			var at int64
			err = scan(&m.Solution, &m.Recipe, &m.Version, &m.Metric, &at, &m.Value)
			m.At = moment(at)
			return m, err
		})
	slices.Reverse(list)
	return list, wrap("list the metrics of "+solution, err)
}

// endsWith is a condition on a column of ARNs: that it has the name behind its
// kind. ending gives its arguments, and those of equality before it.
func endsWith(column string) string {
	return `substr(` + column + `, length(` + column + `) - CAST(? AS INTEGER) + 1) = ?`
}

func ending(name, kind string) []any {
	last := kind + name
	return []any{name, utf8.RuneCountInString(last), last}
}
