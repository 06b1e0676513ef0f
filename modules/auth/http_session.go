package auth

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth/access"
	"telltale/modules/auth/password"
	"telltale/modules/auth/tokens"
	"telltale/modules/auth/users"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
)

// cookiePath keeps the session cookie away from everything but the API.
const cookiePath = "/api"

// sessionHandlers let users log in and out, and look after themselves.
type sessionHandlers struct {
	users    *users.Service
	tokens   *tokens.Service
	sameSite *httpapi.SameSite
}

// tokenForm is the body of a login: OAuth2's password form, and whether a browser wants a cookie.
type tokenForm struct {
	Username  string
	Password  string
	GrantType string
	Scope     string
	Cookie    string
}

// readTokenForm reads the form. Fields that OAuth2 clients send besides, such as client_id, are accepted and not used.
func readTokenForm(c *fiber.Ctx) (tokenForm, error) {
	body, err := httpapi.ReadBody(c, maxBody, fiber.MIMEApplicationForm)
	if err != nil {
		return tokenForm{}, err
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return tokenForm{}, fault.InvalidField("body", "must be a well-formed form")
	}
	var f tokenForm
	var wrong fault.Fields
	fields := map[string]*string{
		"username": &f.Username, "password": &f.Password, "grant_type": &f.GrantType, "scope": &f.Scope, "cookie": &f.Cookie,
		"client_id": new(string), "client_secret": new(string),
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		given := values[name]
		switch field := fields[name]; {
		case field == nil:
			wrong.Add(name, "is not a field here")
		case len(given) > 1:
			wrong.Add(name, "must not be given more than once")
		default:
			*field = given[0]
		}
	}
	f.validate(&wrong)
	return f, wrong.Err()
}

// validate notes no more about user name and password than that they could be ones.
func (f tokenForm) validate(wrong *fault.Fields) {
	if f.Username == "" || len(f.Username) > 256 {
		wrong.Add("username", "is required, and must have at most 256 bytes")
	}
	if f.Password == "" || len(f.Password) > 4*password.Longest {
		wrong.Add("password", "is required, and must have at most %d characters", password.Longest)
	}
	if f.GrantType != "" && f.GrantType != "password" {
		wrong.Add("grant_type", "must be password")
	}
	if !access.KnownScopes(access.SplitScopes(f.Scope)) {
		wrong.Add("scope", "must name scopes among: %s", access.JoinScopes(access.AllScopes()))
	}
	if !slices.Contains([]string{"", "true", "false"}, f.Cookie) {
		wrong.Add("cookie", "must be true or false")
	}
}

// tokenAnswer is what OAuth2 (RFC 6749, section 5.1) answers.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	// ExpiresIn is in seconds.
	ExpiresIn int    `json:"expires_in"`
	Scope     string `json:"scope"`
}

func (h sessionHandlers) login(c *fiber.Ctx) error {
	if !h.tokens.Issues() {
		return fault.InvalidField("grant_type", "is not supported: tokens for this server come from its identity provider")
	}
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	form, err := readTokenForm(c)
	if err != nil {
		return err
	}
	if form.Cookie == "true" || !h.sameSite.Open() {
		if err := h.sameSite.Check(c); err != nil {
			return err
		}
	}
	user, account, err := h.users.Login(c.UserContext(), form.Username, form.Password, httpapi.ClientAddress(c))
	if err != nil {
		return err
	}
	httpapi.SetSubject(c, user.Username)
	scopes, err := grantable(user, access.SplitScopes(form.Scope))
	if err != nil {
		return err
	}
	token, expires, err := h.tokens.Issue(user.Username, account, scopes)
	if err != nil {
		return err
	}
	if form.Cookie == "true" {
		setSession(c, token, expires)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(tokenAnswer{
		AccessToken: token, TokenType: "bearer", ExpiresIn: int(h.tokens.Lifetime() / time.Second), Scope: access.JoinScopes(scopes),
	})
}

// grantable returns the scopes asked for, or the user's own when none are. It returns a Forbidden fault when the user does
// not have one.
func grantable(user users.User, asked []access.Scope) ([]access.Scope, error) {
	if len(asked) == 0 {
		return access.SortedScopes(user.Scopes), nil
	}
	asked = access.SortedScopes(asked)
	if allowed := (access.Principal{Scopes: user.Scopes}).Allowed(asked); len(allowed) < len(asked) {
		return nil, fault.New(fault.Forbidden, "you do not have all of the scopes asked for, only: %s", access.JoinScopes(access.SortedScopes(user.Scopes)))
	}
	return asked, nil
}

// logout takes the cookie back. It needs no credentials: a browser whose session has expired may log out as well.
func (h sessionHandlers) logout(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	if err := h.sameSite.Check(c); err != nil {
		return err
	}
	setSession(c, "", time.Unix(1, 0))
	return c.SendStatus(fiber.StatusNoContent)
}

// sessionAnswer says how long a session lasts now. ExpiresIn is in seconds, for clients whose clock is wrong.
type sessionAnswer struct {
	ExpiresAt time.Time `json:"expires_at"`
	ExpiresIn int       `json:"expires_in"`
}

// renew gives a browser a new cookie for the one that it has, with the same scopes and another lifetime. The guard has just found the
// user enabled and the password unchanged; a token of another program, or elsewhere than in the cookie, is for its holder to renew.
func (h sessionHandlers) renew(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	p := PrincipalOf(c)
	if c.Locals(sourceKey) != fromCookie || !p.IsUser() {
		return fault.New(fault.Forbidden, "only the session cookie of a user who has logged in here can be renewed: get another token by logging in")
	}
	token, expires, err := h.tokens.Issue(p.Subject, p.Account, p.Scopes)
	if err != nil {
		return err
	}
	setSession(c, token, expires)
	return c.JSON(sessionAnswer{ExpiresAt: expires.UTC(), ExpiresIn: int(h.tokens.Lifetime() / time.Second)})
}

func setSession(c *fiber.Ctx, token string, expires time.Time) {
	c.Cookie(&fiber.Cookie{
		Name: sessionCookie, Value: token, Path: cookiePath, Expires: expires,
		HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode, Secure: cameByHTTPS(c),
	})
}

// cameByHTTPS also believes a proxy's header: a client that forges it only keeps its own cookie from plain HTTP.
func cameByHTTPS(c *fiber.Ctx) bool {
	return c.Secure() || strings.EqualFold(c.Get(fiber.HeaderXForwardedProto), "https")
}

// meAnswer describes the credentials of the request. Devices and ExpiresAt are null for no limit.
type meAnswer struct {
	Subject   string         `json:"subject"`
	KeyID     *string        `json:"key_id"`
	Scopes    []access.Scope `json:"scopes"`
	Devices   []string       `json:"devices"`
	ExpiresAt *time.Time     `json:"expires_at"`
	// CanChangePassword is set for users who have logged in here.
	CanChangePassword bool `json:"can_change_password"`
}

func (h sessionHandlers) me(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	p := PrincipalOf(c)
	answer := meAnswer{Subject: p.Subject, Scopes: access.SortedScopes(p.Scopes), Devices: p.Devices, CanChangePassword: p.IsUser()}
	if p.KeyID != "" {
		answer.KeyID = &p.KeyID
	}
	if !p.Expires.IsZero() {
		answer.ExpiresAt = utc(&p.Expires)
	}
	return c.JSON(answer)
}

type passwordBody struct {
	CurrentPassword string
	NewPassword     string
}

func readPasswordBody(c *fiber.Ctx, username string) (passwordBody, error) {
	m, err := readMembers(c)
	if err != nil {
		return passwordBody{}, err
	}
	b := passwordBody{
		CurrentPassword: needed[string](m, "current_password", "a string"),
		NewPassword:     needed[string](m, "new_password", "a string"),
	}
	m.Unknown()
	if m.Faults.Empty() {
		b.validate(&m.Faults, username)
	}
	return b, m.Faults.Err()
}

func (b passwordBody) validate(wrong *fault.Fields, username string) {
	if b.CurrentPassword == "" || len(b.CurrentPassword) > 4*password.Longest {
		wrong.Add("current_password", "must be your current password")
	}
	check(wrong, "new_password", password.Fault(username, b.NewPassword))
	if b.NewPassword == b.CurrentPassword && wrong.Empty() {
		wrong.Add("new_password", "must not be the current password")
	}
}

func (h sessionHandlers) changePassword(c *fiber.Ctx) error {
	p := PrincipalOf(c)
	if !p.IsUser() {
		return fault.New(fault.Forbidden, "only a user who has logged in here with a password can change it")
	}
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	body, err := readPasswordBody(c, p.Subject)
	if err != nil {
		return err
	}
	if err := h.users.ChangePassword(c.UserContext(), p.Subject, body.CurrentPassword, body.NewPassword, httpapi.ClientAddress(c)); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
