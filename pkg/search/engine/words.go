package engine

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/custom"
	"github.com/blevesearch/bleve/v2/analysis/char/asciifolding"
	"github.com/blevesearch/bleve/v2/analysis/lang/cjk"
	"github.com/blevesearch/bleve/v2/analysis/token/lowercase"
	tokenizer "github.com/blevesearch/bleve/v2/analysis/tokenizer/unicode"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"
	"golang.org/x/text/unicode/norm"

	"github.com/fairseat/fairseat/pkg/catalog"
)

// words finds films by what is written about them. Accents, case and the width of
// letters do not count. Chinese, Japanese and Korean are cut into pairs of
// characters, as their users type no blanks.
type words struct {
	films   []catalog.Movie
	index   bleve.Index
	surface map[string]string // a word as it is read → as a film writes it
}

const (
	textField = "text"
	indexing  = "film"    // pairs of characters, and each alone
	asking    = "keyword" // pairs, and alone only what stands alone
)

func textMapping() (mapping.IndexMapping, error) {
	m := bleve.NewIndexMapping()
	pairs := map[string]any{"type": cjk.BigramName, "output_unigram": true}
	if err := m.AddCustomTokenFilter("pairs and ones", pairs); err != nil {
		return nil, err
	}
	for name, bigrams := range map[string]string{indexing: "pairs and ones", asking: cjk.BigramName} {
		err := m.AddCustomAnalyzer(name, map[string]any{
			"type": custom.Name, "char_filters": []string{asciifolding.Name}, "tokenizer": tokenizer.Name,
			"token_filters": []string{cjk.WidthName, lowercase.Name, bigrams},
		})
		if err != nil {
			return nil, err
		}
	}
	f := bleve.NewTextFieldMapping()
	f.Analyzer = indexing
	f.Store, f.IncludeTermVectors, f.IncludeInAll, f.DocValues = false, false, false, false
	film := bleve.NewDocumentStaticMapping()
	film.AddFieldMappingsAt(textField, f)
	m.DefaultMapping = film
	return m, nil
}

func newWords(films []catalog.Movie) (*words, error) {
	m, err := textMapping()
	if err != nil {
		return nil, fmt.Errorf("search: mapping: %w", err)
	}
	w := &words{films: films, surface: map[string]string{}}
	if w.index, err = bleve.NewUsing("", m, scorch.Name, scorch.Name, nil); err != nil {
		return nil, fmt.Errorf("search: words: %w", err)
	}
	b := w.index.NewBatch()
	for i, f := range films {
		if err := b.Index(fmt.Sprint(i), map[string]any{textField: written(f)}); err != nil {
			return nil, fmt.Errorf("search: words of %s: %w", f.ID, err)
		}
		w.note(f)
	}
	if err := w.index.Batch(b); err != nil {
		return nil, fmt.Errorf("search: words: %w", err)
	}
	return w, nil
}

// written is everything that a film is found by. A line's end keeps two texts from
// making a pair of characters together.
func written(f catalog.Movie) string {
	texts := []string{f.Title, f.OriginalTitle, f.ChineseTitle, f.Description, f.ChineseDescription}
	texts = append(append(texts, f.Genres...), f.Directors...)
	return plain(strings.Join(texts, "\n"))
}

// plain undoes compositions and widths; an apostrophe does not part a word from
// its ending.
func plain(s string) string {
	s = strings.ToValidUTF8(s, " ")
	return strings.NewReplacer("'", "", "’", "", "ʼ", "").Replace(norm.NFKC.String(s))
}

// note keeps how the words of titles and names are written, to suggest them so.
func (w *words) note(f catalog.Movie) {
	for _, text := range append([]string{f.Title, f.OriginalTitle}, f.Directors...) {
		for _, word := range strings.FieldsFunc(text, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) && r != '\'' && r != '’'
		}) {
			for _, t := range w.read(word, asking) {
				if _, known := w.surface[string(t.Term)]; !known {
					w.surface[string(t.Term)] = word
				}
			}
		}
	}
}

// read cuts a text into words.
func (w *words) read(text, by string) analysis.TokenStream {
	return w.index.Mapping().AnalyzerNamed(by).Analyze([]byte(plain(text)))
}

// term is one word of a keyword and how it is to be understood.
type term struct {
	text  string
	asian bool // Chinese, Japanese or Korean: a pair of characters
	known bool // as it is, or as the beginning of a word
}

func (w *words) terms(keyword string) ([]term, error) {
	var terms []term
	for _, t := range w.read(keyword, asking) {
		asian := t.Type == analysis.Ideographic || t.Type == analysis.Double || t.Type == analysis.Single
		known, err := w.known(string(t.Term), asian)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(terms, func(o term) bool { return o.text == string(t.Term) }); i < 0 {
			terms = append(terms, term{string(t.Term), asian, known})
		}
	}
	return terms, nil
}

func (w *words) known(text string, whole bool) (bool, error) {
	last := []byte(text)
	if !whole && utf8.RuneCountInString(text) > 1 {
		last = append([]byte(text), 0xff)
	}
	found := false
	err := w.dictionary(func(r index.IndexReader) (index.FieldDict, error) {
		return r.FieldDictRange(textField, []byte(text), last)
	}, func(string, uint64) bool { found = true; return false })
	return found, err
}

// dictionary goes through words of the index until yield has enough.
func (w *words) dictionary(open func(index.IndexReader) (index.FieldDict, error), yield func(word string, count uint64) bool) (err error) {
	inner, err := w.index.Advanced()
	if err != nil {
		return err
	}
	r, err := inner.Reader()
	if err != nil {
		return err
	}
	defer func() {
		if e := r.Close(); err == nil {
			err = e
		}
	}()
	d, err := open(r)
	if err != nil {
		return err
	}
	for {
		e, err := d.Next()
		if err != nil || e == nil || !yield(e.Term, e.Count) {
			return err
		}
	}
}

// slips is how many mistakes a word may hold: a letter too many, missing, wrong, or
// swapped with its neighbour.
func slips(word string) int {
	switch n := utf8.RuneCountInString(word); {
	case n < 4:
		return 0
	case n < 8:
		return 1
	}
	return 2
}

// find tells the films in which each word of the keyword stands: begun by it, or,
// where no film has such a word, with a slip or two. Of a Chinese text, pairs that
// no film has are passed over while there are others. A keyword without any word
// finds nothing.
func (w *words) find(terms []term) ([]bool, error) {
	found := make([]bool, len(w.films))
	var all []query.Query
	for _, t := range terms {
		if q := t.query(); q != nil {
			q.SetField(textField)
			all = append(all, q)
			continue
		}
		if !t.asian || !slices.ContainsFunc(terms, func(o term) bool { return o.asian && o.known }) {
			return found, nil
		}
	}
	if len(all) == 0 {
		return found, nil
	}
	req := bleve.NewSearchRequestOptions(bleve.NewConjunctionQuery(all...), len(w.films), 0, false)
	req.Score = "none"
	res, err := w.index.Search(req)
	if err != nil {
		return nil, fmt.Errorf("search: words: %w", err)
	}
	for _, hit := range res.Hits {
		var i int
		if _, err := fmt.Sscan(hit.ID, &i); err != nil {
			return nil, fmt.Errorf("search: words: %w", err)
		}
		found[i] = true
	}
	return found, nil
}

type fielded interface {
	query.Query
	SetField(string)
}

func (t term) query() fielded {
	switch {
	case t.asian && !t.known:
		return nil
	case t.asian, t.known && utf8.RuneCountInString(t.text) == 1:
		return bleve.NewTermQuery(t.text)
	case t.known:
		return bleve.NewPrefixQuery(t.text)
	case slips(t.text) == 0:
		return nil
	}
	q := bleve.NewFuzzyQuery(t.text)
	q.SetFuzziness(slips(t.text))
	return q
}

func (w *words) close() error { return w.index.Close() }
