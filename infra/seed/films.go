package main

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fairseat/fairseat/pkg/catalog"
)

const (
	minRuntime, maxRuntime = 60, 260 // minutes
	minYear, maxYear       = 1990, 2025
	maxSentence            = 170 // characters of a description
	maxSentenceZH          = 60
)

var ratings = []string{"G", "PG", "PG-13", "R", "NC-17"}

func (f *files) checkFilms(all *faults) {
	ids, sentences, sentencesZH := firsts[string]{}, firsts[string]{}, firsts[string]{}
	for _, r := range f.films {
		checkID(r, ids, r.v.ID, all)
		unique(sentences, r, "description", r.v.Description, all)
		unique(sentencesZH, r, "description_zh", r.v.DescriptionZH, all)
		checkText(r, all)
		checkFacts(r, all)
		checkSources(r, all)
	}
}

func checkText(r row[filmRow], all *faults) {
	m := r.v
	all.need(m.Title != "", r, "film %q has no title", m.ID)
	all.need(strings.HasSuffix(m.Description, ".") && !isHan(m.Description) && utf8.RuneCountInString(m.Description) <= maxSentence,
		r, "description is not an English sentence of at most %d characters", maxSentence)
	all.need(strings.HasSuffix(m.DescriptionZH, "。") && isHan(m.DescriptionZH) && utf8.RuneCountInString(m.DescriptionZH) <= maxSentenceZH,
		r, "description_zh is not a Chinese sentence of at most %d characters", maxSentenceZH)
	all.need(m.TitleZH == nil || isHan(*m.TitleZH) || allDigits(*m.TitleZH), r, "title_zh %q is not Chinese", text(m.TitleZH))
}

func allDigits(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

func checkFacts(r row[filmRow], all *faults) {
	m := r.v
	if m.RuntimeMin != nil {
		all.need(*m.RuntimeMin >= minRuntime && *m.RuntimeMin <= maxRuntime, r, "runtime_min %d; want %d to %d", *m.RuntimeMin, minRuntime, maxRuntime)
	}
	if m.Year != nil {
		all.need(*m.Year >= minYear && *m.Year <= maxYear, r, "year %d; want %d to %d", *m.Year, minYear, maxYear)
	}
	if m.ReleaseDate != nil {
		all.need(dateOf(*m.ReleaseDate, m.Year), r, "release_date %q is no date of the film's year", *m.ReleaseDate)
	}
	for _, c := range m.Countries {
		all.need(countryForm.MatchString(c), r, "country %q is not two capital letters", c)
	}
	all.need(m.Rating == nil || slices.Contains(ratings, *m.Rating), r, "rating_mpaa %q is unknown", text(m.Rating))
}

func dateOf(s string, year *int) bool {
	form := time.DateOnly
	if len(s) == 4 {
		form = "2006"
	}
	t, err := time.Parse(form, s)
	return err == nil && year != nil && t.Year() == *year
}

// A fact stands only where a source that was read says the same.
func checkSources(r row[filmRow], all *faults) {
	m := r.v
	for _, fact := range []struct {
		name, source string
		there        bool
	}{
		{"release_date", "date", m.ReleaseDate != nil},
		{"runtime_min", "runtime", m.RuntimeMin != nil},
		{"directors", "director", m.Directors != nil},
		{"year", "year", m.Year != nil},
	} {
		all.need(!fact.there || len(m.Checked[fact.source]) > 0, r, "%s without a source in checked.%s", fact.name, fact.source)
	}
}

// complete tells whether enough is known of a film to show it.
func (m filmRow) complete() bool {
	return m.RuntimeMin != nil && m.ReleaseDate != nil && len(m.Genres) > 0 && len(m.Languages) > 0 && len(m.Countries) > 0
}

func (m filmRow) movie() catalog.Movie {
	c := catalog.Movie{ID: catalog.MovieID(m.ID), Title: m.Title, Genres: m.Genres, ReleaseDate: text(m.ReleaseDate), Description: m.Description,
		OriginalTitle: text(m.OriginalTitle), ChineseTitle: text(m.TitleZH), ChineseDescription: m.DescriptionZH, Directors: m.Directors}
	if m.RuntimeMin != nil {
		c.RuntimeMinutes = *m.RuntimeMin
	}
	if len(m.Languages) > 0 {
		c.Language = m.Languages[0]
	}
	if len(m.Countries) > 0 {
		c.Country = m.Countries[0]
	}
	return c
}
