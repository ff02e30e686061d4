package api

import (
	"slices"
	"strings"
)

// Body is what a route reads from the request's body. The zero value is invalid.
type Body uint8

// The kinds of body.
const (
	_        Body = iota
	NoBody        // ignored
	MayJSON       // nothing, or a JSON object, most often an empty one
	NeedJSON      // a JSON object
	RawBody       // bytes of any type, as a payment provider signed them
)

// Route is one call of the API.
type Route struct {
	Method    string
	Path      string // without the stage, as API Gateway writes a resource
	Operation string // operationId
	Function  string // the deployed function that answers it
	Open      bool   // no developer key is asked for
	Buyer     bool   // a bearer token is required
	Account   bool   // with Buyer: the bearer is an account, no guest
	Receipt   bool   // an Idempotency-Key is required
	Body      Body
	Query     []string // parameters beside api_dev_key
}

// The functions that answer HTTP.
const (
	fnOpenSession     = "open-session"
	fnOpenSocket      = "open-socket"
	fnBrowseCatalog   = "browse-catalog"
	fnReadSeatmap     = "read-seatmap"
	fnSearchMovies    = "search-movies"
	fnReserveSeats    = "reserve-seats"
	fnPoseChallenge   = "pose-challenge"
	fnReadHold        = "read-hold"
	fnReleaseHold     = "release-hold"
	fnPayHold         = "pay-hold"
	fnReadOrder       = "read-order"
	fnReadHistory     = "read-history"
	fnAdoptGuest      = "adopt-guest"
	fnReceiveCallback = "receive-callback"
	fnJoinLine        = "join-line"
	fnReadPlace       = "read-place"
	fnAnswerOffer     = "answer-offer"
	fnDescribeAPI     = "describe-api"
	fnSignIn          = "sign-in"
	fnKeepAccount     = "keep-account"

	fnKeepKeys = "keep-keys"
)

// The operations.
const (
	opOpenSession     = "OpenSession"
	opOpenSocket      = "OpenSocket"
	opListCities      = "ListCities"
	opListMovies      = "ListMovies"
	opListShowtimes   = "ListShowtimes"
	opReadShow        = "ReadShow"
	opSearchMovies    = "SearchMovies"
	opReadLayout      = "ReadLayout"
	opReadSeatmap     = "ReadSeatmap"
	opReserveSeats    = "ReserveSeats"
	opPoseChallenge   = "PoseChallenge"
	opReadHold        = "ReadHold"
	opReleaseHold     = "ReleaseHold"
	opPayHold         = "PayHold"
	opReadOrder       = "ReadOrder"
	opListOrders      = "ListOrders"
	opListTickets     = "ListTickets"
	opAdoptGuest      = "AdoptGuest"
	opReceiveCallback = "ReceiveCallback"
	opJoinLine        = "JoinLine"
	opReadPlace       = "ReadPlace"
	opAcceptOffer     = "AcceptOffer"
	opDeclineOffer    = "DeclineOffer"
	opLeaveLine       = "LeaveLine"
	opReadHealth      = "ReadHealth"
	opReadOpenAPI     = "ReadOpenAPI"
	opReadTicketKeys  = "ReadTicketKeys"

	opRegister         = "RegisterAccount"
	opVerifyAddress    = "VerifyAddress"
	opLogIn            = "LogIn"
	opRefreshLogin     = "RefreshLogin"
	opAskReset         = "RequestPasswordReset"
	opResetPassword    = "ResetPassword"
	opLogOut           = "LogOut"
	opLogOutEverywhere = "LogOutEverywhere"
	opReadMe           = "ReadMe"
	opChangeMe         = "ChangeMe"
	opEraseMe          = "EraseMe"
	opChangePassword   = "ChangePassword"
	opSetUpTotp        = "SetUpTotp"
	opConfirmTotp      = "ConfirmTotp"
	opRemoveTotp       = "RemoveTotp"
	opExportMe         = "ExportMe"

	opReadDeveloper = "ReadDeveloper"
	opListKeys      = "ListDeveloperKeys"
	opMakeKey       = "MakeDeveloperKey"
	opRotateKey     = "RotateDeveloperKey"
	opRevokeKey     = "RevokeDeveloperKey"
	opReadUsage     = "ReadDeveloperUsage"
)

const (
	methodGet    = "GET"
	methodPost   = "POST"
	methodDelete = "DELETE"
	methodPut    = "PUT"
	methodPatch  = "PATCH"
)

var paged = []string{"limit", "cursor"}

var routes = []Route{
	{Method: methodPost, Path: "/sessions", Operation: opOpenSession, Function: fnOpenSession, Body: MayJSON},
	{Method: methodPost, Path: "/socket-tickets", Operation: opOpenSocket, Function: fnOpenSocket, Buyer: true, Receipt: true, Body: MayJSON},
	{Method: methodGet, Path: "/cities", Operation: opListCities, Function: fnBrowseCatalog, Body: NoBody, Query: append([]string{"q"}, paged...)},
	{Method: methodGet, Path: "/cities/{city}/movies", Operation: opListMovies, Function: fnBrowseCatalog, Body: NoBody, Query: paged},
	{Method: methodGet, Path: "/movies/{movie}/showtimes", Operation: opListShowtimes, Function: fnBrowseCatalog, Body: NoBody, Query: append([]string{"city", "date"}, paged...)},
	{Method: methodGet, Path: "/search/movies", Operation: opSearchMovies, Function: fnSearchMovies, Body: NoBody, Query: searched},
	{Method: methodGet, Path: "/shows/{show}", Operation: opReadShow, Function: fnBrowseCatalog, Body: NoBody},
	{Method: methodGet, Path: "/layouts/{layout}", Operation: opReadLayout, Function: fnBrowseCatalog, Body: NoBody},
	{Method: methodGet, Path: "/shows/{show}/seatmap", Operation: opReadSeatmap, Function: fnReadSeatmap, Body: NoBody, Query: []string{"expand"}},
	{Method: methodPost, Path: "/shows/{show}/holds", Operation: opReserveSeats, Function: fnReserveSeats, Buyer: true, Receipt: true, Body: NeedJSON},
	{Method: methodPost, Path: "/shows/{show}/challenges", Operation: opPoseChallenge, Function: fnPoseChallenge, Buyer: true, Body: MayJSON},
	{Method: methodGet, Path: "/holds/{hold}", Operation: opReadHold, Function: fnReadHold, Buyer: true, Body: NoBody},
	{Method: methodDelete, Path: "/holds/{hold}", Operation: opReleaseHold, Function: fnReleaseHold, Buyer: true, Body: NoBody},
	{Method: methodPost, Path: "/holds/{hold}/payments", Operation: opPayHold, Function: fnPayHold, Buyer: true, Receipt: true, Body: NeedJSON},
	{Method: methodPost, Path: "/shows/{show}/line", Operation: opJoinLine, Function: fnJoinLine, Buyer: true, Receipt: true, Body: NeedJSON},
	{Method: methodGet, Path: "/line/{waiter}", Operation: opReadPlace, Function: fnReadPlace, Buyer: true, Body: NoBody, Query: []string{"since", "wait_seconds"}},
	{Method: methodDelete, Path: "/line/{waiter}", Operation: opLeaveLine, Function: fnAnswerOffer, Buyer: true, Body: NoBody},
	{Method: methodPost, Path: "/line/{waiter}/accept", Operation: opAcceptOffer, Function: fnAnswerOffer, Buyer: true, Receipt: true, Body: NeedJSON},
	{Method: methodPost, Path: "/line/{waiter}/decline", Operation: opDeclineOffer, Function: fnAnswerOffer, Buyer: true, Body: MayJSON},
	{Method: methodGet, Path: "/orders/{order}", Operation: opReadOrder, Function: fnReadOrder, Buyer: true, Body: NoBody},
	{Method: methodGet, Path: "/me/orders", Operation: opListOrders, Function: fnReadHistory, Buyer: true, Body: NoBody, Query: append([]string{"status"}, paged...)},
	{Method: methodGet, Path: "/me/tickets", Operation: opListTickets, Function: fnReadHistory, Buyer: true, Body: NoBody, Query: append([]string{"when"}, paged...)},
	{Method: methodPost, Path: "/me/adoptions", Operation: opAdoptGuest, Function: fnAdoptGuest, Buyer: true, Body: NeedJSON},
	{Method: methodPost, Path: "/callbacks/{provider}", Operation: opReceiveCallback, Function: fnReceiveCallback, Open: true, Body: RawBody},

	// Who asks for a first developer key has none yet.
	{Method: methodGet, Path: "/developer", Operation: opReadDeveloper, Function: fnKeepKeys, Open: true, Buyer: true, Account: true, Body: NoBody},
	{Method: methodGet, Path: "/developer/keys", Operation: opListKeys, Function: fnKeepKeys, Open: true, Buyer: true, Account: true, Body: NoBody, Query: paged},
	{Method: methodPost, Path: "/developer/keys", Operation: opMakeKey, Function: fnKeepKeys, Open: true, Buyer: true, Account: true, Receipt: true, Body: NeedJSON},
	{Method: methodDelete, Path: "/developer/keys/{key}", Operation: opRevokeKey, Function: fnKeepKeys, Open: true, Buyer: true, Account: true, Body: NoBody},
	{Method: methodPost, Path: "/developer/keys/{key}/rotations", Operation: opRotateKey, Function: fnKeepKeys, Open: true, Buyer: true, Account: true, Receipt: true, Body: NeedJSON},
	{Method: methodGet, Path: "/developer/usage", Operation: opReadUsage, Function: fnKeepKeys, Open: true, Buyer: true, Account: true, Body: NoBody, Query: []string{"from", "to"}},

	{Method: methodGet, Path: "/health", Operation: opReadHealth, Function: fnDescribeAPI, Open: true, Body: NoBody},
	{Method: methodGet, Path: "/openapi.json", Operation: opReadOpenAPI, Function: fnDescribeAPI, Open: true, Body: NoBody},
	{Method: methodGet, Path: "/ticket-keys", Operation: opReadTicketKeys, Function: fnDescribeAPI, Open: true, Body: NoBody},

	{Method: methodPost, Path: "/accounts", Operation: opRegister, Function: fnSignIn, Open: true, Receipt: true, Body: NeedJSON},
	{Method: methodPost, Path: "/accounts/verifications", Operation: opVerifyAddress, Function: fnSignIn, Open: true, Body: NeedJSON},
	{Method: methodPost, Path: "/logins", Operation: opLogIn, Function: fnSignIn, Open: true, Body: NeedJSON},
	{Method: methodPost, Path: "/logins/refresh", Operation: opRefreshLogin, Function: fnSignIn, Open: true, Body: NeedJSON},
	{Method: methodPost, Path: "/password-resets", Operation: opAskReset, Function: fnSignIn, Open: true, Receipt: true, Body: NeedJSON},
	{Method: methodPost, Path: "/password-resets/confirmations", Operation: opResetPassword, Function: fnSignIn, Open: true, Body: NeedJSON},
	{Method: methodDelete, Path: "/logins/current", Operation: opLogOut, Function: fnKeepAccount, Buyer: true, Account: true, Body: NoBody},
	{Method: methodDelete, Path: "/logins", Operation: opLogOutEverywhere, Function: fnKeepAccount, Buyer: true, Account: true, Body: NoBody},
	{Method: methodGet, Path: "/me", Operation: opReadMe, Function: fnKeepAccount, Buyer: true, Account: true, Body: NoBody},
	{Method: methodPatch, Path: "/me", Operation: opChangeMe, Function: fnKeepAccount, Buyer: true, Account: true, Body: NeedJSON},
	{Method: methodDelete, Path: "/me", Operation: opEraseMe, Function: fnKeepAccount, Buyer: true, Account: true, Body: NoBody},
	{Method: methodPut, Path: "/me/password", Operation: opChangePassword, Function: fnKeepAccount, Buyer: true, Account: true, Body: NeedJSON},
	{Method: methodPost, Path: "/me/totp", Operation: opSetUpTotp, Function: fnKeepAccount, Buyer: true, Account: true, Receipt: true, Body: MayJSON},
	{Method: methodPost, Path: "/me/totp/confirmations", Operation: opConfirmTotp, Function: fnKeepAccount, Buyer: true, Account: true, Receipt: true, Body: NeedJSON},
	{Method: methodDelete, Path: "/me/totp", Operation: opRemoveTotp, Function: fnKeepAccount, Buyer: true, Account: true, Body: NoBody},
	{Method: methodGet, Path: "/me/export", Operation: opExportMe, Function: fnKeepAccount, Buyer: true, Account: true, Body: NoBody},
}

// Routes lists every call, each once; the copy is the caller's.
func Routes() []Route { return slices.Clone(routes) }

func routeOf(method, path string) (Route, bool) {
	for _, r := range routes {
		if r.Method == method && r.Path == path {
			return r, true
		}
	}
	return Route{}, false
}

// allowed lists the methods of the path, sorted; none where the path leads nowhere.
func allowed(path string) []string {
	var methods []string
	for _, r := range routes {
		if matches(r.Path, path) {
			methods = append(methods, r.Method)
		}
	}
	slices.Sort(methods)
	return methods
}

// matches tells whether a request's path is one of the template's. Nowhere in the
// table has one path a word where another has a parameter, so no match is better
// than another.
func matches(template, path string) bool {
	t, p := strings.Split(template, "/"), strings.Split(path, "/")
	if len(t) != len(p) {
		return false
	}
	for i := range t {
		if _, isParam := idOf(p[i]); t[i] != p[i] && !(isParam && strings.HasPrefix(t[i], "{")) {
			return false
		}
	}
	return true
}
