package auth

import (
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth/access"
	"telltale/modules/auth/password"
	"telltale/modules/auth/users"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
)

// userHandlers let an administrator manage users.
type userHandlers struct{ users *users.Service }

// userAnswer is a user as it is shown. Devices is null when it covers all.
type userAnswer struct {
	Username  string         `json:"username"`
	Scopes    []access.Scope `json:"scopes"`
	Devices   []string       `json:"devices"`
	Disabled  bool           `json:"disabled"`
	CreatedAt time.Time      `json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`
}

func showUser(u users.User) userAnswer {
	return userAnswer{u.Username, access.SortedScopes(u.Scopes), u.Devices, u.Disabled, u.CreatedAt.UTC(), u.UpdatedAt.UTC()}
}

type usersAnswer struct {
	Users      []userAnswer `json:"users"`
	NextCursor *string      `json:"next_cursor"`
}

// userBody is a user to be created, or what is to change about one: then all is optional.
type userBody struct {
	Username string
	Password *string
	Scopes   *[]access.Scope
	Devices  *patternList
	Disabled *bool
}

// readNewUser reads the body of a creation.
func readNewUser(c *fiber.Ctx) (users.Draft, error) {
	m, err := readMembers(c)
	if err != nil {
		return users.Draft{}, err
	}
	username := needed[string](m, "username", "a string")
	if m.Faults.Empty() {
		check(&m.Faults, "username", users.NameFault(username))
	}
	m.Require("password", "scopes")
	body := takeUser(m, username)
	return users.Draft{
		Username: username, Password: or(body.Password), Scopes: or(body.Scopes), Devices: or(body.Devices), Disabled: or(body.Disabled),
	}, m.Faults.Err()
}

// readUserChange reads the body of a change.
func readUserChange(c *fiber.Ctx, username string) (users.Change, error) {
	m, err := readMembers(c)
	if err != nil {
		return users.Change{}, err
	}
	body := takeUser(m, username)
	return users.Change{
		Password: body.Password, Scopes: body.Scopes, Devices: (*[]string)(body.Devices), Disabled: body.Disabled,
	}, m.Faults.Err()
}

func takeUser(m *httpapi.Members, username string) userBody {
	b := userBody{
		Username: username,
		Password: httpapi.Take[string](m, "password", "a string"),
		Scopes:   httpapi.Take[[]access.Scope](m, "scopes", "an array of scopes"),
		Devices:  httpapi.TakeNullable[patternList](m, "devices", "null, for all devices, or an array of device ids and patterns"),
		Disabled: httpapi.Take[bool](m, "disabled", "true or false"),
	}
	m.Unknown()
	m.Faults.Include(b.validate())
	return b
}

// validate returns an Invalid fault with everything that is wrong with the body, by field.
func (b userBody) validate() error {
	var wrong fault.Fields
	if b.Password != nil {
		check(&wrong, "password", password.Fault(b.Username, *b.Password))
	}
	access.GrantFaults(&wrong, or(b.Scopes), or(b.Devices))
	return wrong.Err()
}

func (h userHandlers) list(c *fiber.Ctx) error {
	q := listParameters.Read(c)
	after, limit := page(q, func(name string) bool { return users.NameFault(name) == "" })
	if err := q.Err(); err != nil {
		return err
	}
	found, more, err := h.users.List(c.UserContext(), PrincipalOf(c), after, limit)
	if err != nil {
		return err
	}
	answer := usersAnswer{Users: make([]userAnswer, len(found)), NextCursor: nextCursor(found, more, func(u users.User) string { return u.Username })}
	for i, user := range found {
		answer.Users[i] = showUser(user)
	}
	return c.JSON(answer)
}

func (h userHandlers) create(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	draft, err := readNewUser(c)
	if err != nil {
		return err
	}
	user, err := h.users.Create(c.UserContext(), PrincipalOf(c), draft)
	if err != nil {
		return err
	}
	c.Location("/api/auth/users/" + url.PathEscape(user.Username))
	return c.Status(fiber.StatusCreated).JSON(showUser(user))
}

func (h userHandlers) get(c *fiber.Ctx) error {
	username, err := pathUser(c)
	if err != nil {
		return err
	}
	user, err := h.users.Get(c.UserContext(), PrincipalOf(c), username)
	if err != nil {
		return err
	}
	return c.JSON(showUser(user))
}

func (h userHandlers) update(c *fiber.Ctx) error {
	username, err := pathUser(c)
	if err != nil {
		return err
	}
	change, err := readUserChange(c, username)
	if err != nil {
		return err
	}
	user, err := h.users.Update(c.UserContext(), PrincipalOf(c), username, change)
	if err != nil {
		return err
	}
	return c.JSON(showUser(user))
}

func (h userHandlers) delete(c *fiber.Ctx) error {
	username, err := pathUser(c)
	if err != nil {
		return err
	}
	if err := h.users.Delete(c.UserContext(), PrincipalOf(c), username); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// pathUser returns the name in the path. One that no user can have is that of no user.
func pathUser(c *fiber.Ctx) (string, error) {
	if err := httpapi.ReadNone(c); err != nil {
		return "", err
	}
	username, err := httpapi.PathParam(c, "username")
	if err != nil {
		return "", err
	}
	if users.NameFault(username) != "" {
		return "", users.NotFound()
	}
	return username, nil
}
