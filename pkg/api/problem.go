package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fairseat/fairseat/pkg/booking"
	"github.com/fairseat/fairseat/pkg/fault"
	"github.com/fairseat/fairseat/pkg/line"
)

// words are what a client is told of a code.
type words struct {
	status int
	title  string
	detail string
}

// problems is the one table of all that can be refused: code → status and text.
// What an error says of itself is never shown.
var problems = map[string]words{
	"bad_request":              {400, "Bad request", "The request is not well formed."},
	"idempotency_key_required": {400, "Idempotency-Key required", "This call needs an Idempotency-Key of 1 to 128 printable characters."},
	"unauthorized":             {401, "Unauthorized", "A session token is missing, unknown or expired."},
	"forbidden":                {403, "Forbidden", "This is not permitted with these credentials."},
	"not_found":                {404, "Not found", "There is no such thing, or it is not yours."},
	"method_not_allowed":       {405, "Method not allowed", "The path does not know this method."},
	"payload_too_large":        {413, "Payload too large", "A body may have 65536 bytes."},
	"unsupported_media_type":   {415, "Unsupported media type", "The body must be application/json."},

	"seats_unavailable":  {409, "Seats unavailable", "Some of the seats are taken."},
	"single_gap":         {409, "Single seat left alone", "The choice leaves a single seat alone."},
	"seat_limit_reached": {409, "Seat limit reached", "More seats than one buyer may have in this show."},
	"sales_closed":       {409, "Sales closed", "The show is not on sale now."},
	"hold_expired":       {409, "Hold expired", "The hold has expired."},
	"hold_ended":         {409, "Hold ended", "The hold was given back."},
	"already_paid":       {409, "Already paid", "The hold is paid for."},
	"payment_refused":    {409, "Payment refused", "The payment provider refused the request."},
	"already_waiting":    {409, "Already waiting", "You have a place in the line of this show."},
	"infeasible":         {409, "Infeasible", "Not so many of these seats can come free any more."},
	"seats_free":         {409, "Seats free", "Enough seats are free: choose on the map."},
	"cool_down":          {409, "Cool-down", "Two offers were declined or ran out; join again later."},
	"no_line":            {409, "No line", "The house wants no line for this show."},
	"already_adopted":    {409, "Already adopted", "What the guest has belongs to another account."},
	"no_offer":           {409, "No offer", "There is no offer to answer."},
	"conflict":           {409, "Conflict", "The state of things does not allow this."},

	"too_many_seats":       {422, "Too many seats", "More seats than one buyer may take."},
	"no_seats":             {422, "No seats", "No seats were asked for."},
	"duplicate_seat":       {422, "Duplicate seat", "A seat is named twice."},
	"unknown_seat":         {422, "Unknown seat", "The hall has no such seat."},
	"contact_required":     {422, "Contact required", "This show asks for a contact with the payment."},
	"wrong_movie":          {422, "Wrong movie", "The show is of another movie."},
	"pair_split":           {422, "Pair split", "A loveseat is sold as a pair; the missing halves are named."},
	"party_size":           {422, "Party size", "A party is of one to ten, and takes as many seats as it is of."},
	"unknown_type":         {422, "Unknown type", "The hall has no seats of this type."},
	"idempotency_mismatch": {422, "Idempotency mismatch", "The Idempotency-Key was used with another request."},
	"unknown_guest":        {422, "Unknown guest", "The guest's session is unknown or expired."},
	"invalid_request":      {422, "Invalid request", "The request cannot be fulfilled as it is."},

	"wrong_credentials":     {401, "Wrong credentials", "No such address and password."},
	"code_required":         {401, "Code required", "A code of the second factor is needed."},
	"wrong_code":            {401, "Wrong code", "Not a code of the second factor, or one that was used."},
	"recent_login_required": {403, "Recent log-in required", "This needs a log-in of the last ten minutes."},
	"account_exists":        {409, "Account exists", "The address has an account."},
	"factor_on":             {409, "Second factor on", "A second factor is on already."},
	"no_factor":             {409, "No second factor", "No second factor was set up."},
	"invalid_email":         {422, "Invalid address", "Not an e-mail address that can be written to."},
	"invalid_token":         {422, "Invalid token", "The token of the letter is unknown, used or expired."},
	"password_length":       {422, "Password length", "A password has 8 to 128 characters."},
	"password_common":       {422, "Common password", "This password is among the first that anybody tries."},

	"terms_not_accepted": {422, "Terms not accepted", "The first key of an account needs accept_terms: true."},
	"key_limit_reached":  {409, "Key limit reached", "A developer has at most ten keys without an end, and fifty with those that ended within a day."},
	"key_ended":          {409, "Key ended", "The key has an end already: it was replaced or revoked."},
	"key_shown":          {409, "Key shown", "The key was shown when it was made, and is not stored. Make another."},
	"quota_exceeded":     {429, "Too many requests", "The quota of this developer key is used up."},

	"challenge_required": {428, "Challenge required", "This show asks for a solved challenge, of POST /shows/{show}/challenges, in Challenge-Solution."},
	"too_many_requests":  {429, "Too many requests", "Too many attempts; try again later."},

	"internal":        {500, "Internal error", "Something went wrong on our side."},
	"busy":            {503, "Busy", "Too many at once; nothing was taken. Try again."},
	"outcome_unknown": {503, "Outcome unknown", "It is not known whether this was done. Repeat it with the same Idempotency-Key."},
}

// kinds is the code of an error whose own the table above does not have, or which
// says nothing to a client.
var kinds = map[fault.Kind]string{
	fault.Internal:  "internal",
	fault.Invalid:   "invalid_request",
	fault.NotFound:  "not_found",
	fault.Conflict:  "conflict",
	fault.Stale:     "busy",
	fault.Contended: "busy",
	fault.Busy:      "busy",
	fault.Unknown:   "outcome_unknown",
	fault.Forbidden: "forbidden",
	fault.Limited:   "too_many_requests",
}

// Codes lists every code that this package answers, sorted, with its status.
func Codes() (codes []string, status func(code string) int) {
	for c := range problems {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	return codes, func(code string) int { return problems[code].status }
}

// refusal is a request that this package itself does not accept.
type refusal struct {
	code   string
	detail string // "" for the table's
	allow  []string
}

func (r *refusal) Error() string { return "api: " + r.code + ": " + r.detail }

func bad(detail string) error { return &refusal{code: "bad_request", detail: detail} }

var (
	errNotFound  = &refusal{code: "not_found"}
	errTooLarge  = &refusal{code: "payload_too_large"}
	errMediaType = &refusal{code: "unsupported_media_type"}
	errNoKey     = &refusal{code: "idempotency_key_required"}
)

// codeOf is what the error is to a client.
func codeOf(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.code
	}
	if errors.As(err, new(overQuota)) {
		return "quota_exceeded"
	}
	// A request that ran out of time may have been carried out.
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return "outcome_unknown"
	}
	kind := fault.KindOf(err)
	switch kind {
	case fault.Invalid, fault.NotFound, fault.Conflict, fault.Forbidden:
		var f *fault.Error
		if errors.As(err, &f) {
			if _, known := problems[f.Code]; known {
				return f.Code
			}
		}
	}
	return kinds[kind]
}

// problemDoc is an RFC 9457 document with the members of api.md.
type problemDoc struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`

	Conflicts []conflictDoc `json:"conflicts,omitzero"`
	Next      string        `json:"next,omitempty"`
	Stranded  []string      `json:"stranded,omitzero"`
	Holding   *int          `json:"holding,omitempty"`
	Limit     int           `json:"limit,omitempty"`
	OpensAt   string        `json:"opens_at,omitempty"`
	Seats     []string      `json:"seats,omitzero"`
	Until     string        `json:"until,omitempty"`

	ServerTime string `json:"server_time,omitempty"` // where another time is told
}

type conflictDoc struct {
	Seat   string `json:"seat"`
	Reason string `json:"reason"`
	Until  string `json:"until,omitempty"`
	Hold   string `json:"hold,omitempty"`
}

func docOf(err error, now time.Time) problemDoc {
	code := codeOf(err)
	w := problems[code]
	d := problemDoc{Type: "urn:fairseat:problem:" + code, Title: w.title, Status: w.status, Detail: w.detail, Code: code}
	var r *refusal
	if errors.As(err, &r) && r.detail != "" {
		d.Detail = r.detail
	}
	var no *booking.Refusal
	if errors.As(err, &no) {
		d.fill(no)
	}
	if d.OpensAt != "" || d.Until != "" || slices.ContainsFunc(d.Conflicts, func(c conflictDoc) bool { return c.Until != "" }) {
		d.ServerTime = wireTime(now)
	}
	return d
}

// fill adds the members that the code has, also where they are empty.
func (d *problemDoc) fill(no *booking.Refusal) {
	seats := texts(no.Seats)
	switch no.Reason {
	case booking.ErrUnavailable:
		d.Conflicts, d.Next = conflictDocs(no.Conflicts), no.Next.String()
	case booking.ErrSingleGap:
		d.Stranded = seats
	case booking.ErrSeatLimit:
		d.Holding, d.Limit = &no.Holding, no.Limit
	case booking.ErrSalesClosed:
		d.OpensAt = wireTime(no.OpensAt)
	case line.ErrCoolDown:
		d.Until = wireTime(no.Until)
	case line.ErrNotYourSeat:
		d.Conflicts, d.Seats = conflictDocs(no.Conflicts), seats
	case booking.ErrNotWorked:
	case booking.ErrTooMany:
		d.Seats, d.Limit = seats, no.Limit
	default:
		d.Seats = seats
	}
}

func conflictDocs(cs []booking.Conflict) []conflictDoc {
	docs := make([]conflictDoc, len(cs))
	for i, c := range cs {
		docs[i] = conflictDoc{string(c.Seat), c.Reason.String(), wireTime(c.Until), string(c.Own)}
	}
	return docs
}

func texts[T ~string](ids []T) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}
