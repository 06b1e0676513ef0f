package readings

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
)

// removedAnswer is the body of the answer to a deletion.
type removedAnswer struct {
	// Deleted is how many readings are gone; absent while they still have to leave what is stored.
	Deleted *int64 `json:"deleted,omitempty"`
	Seq     int64  `json:"seq"`
}

func (h handlers) delete(c *fiber.Ctx) error {
	wish, err := parseRemoval(removalParameters.Read(c), time.Now())
	if err != nil {
		return err
	}
	removed, err := h.service.Delete(c.UserContext(), auth.PrincipalOf(c), wish)
	if err != nil {
		return err
	}
	if !removed.Done {
		return c.Status(fiber.StatusAccepted).JSON(removedAnswer{Seq: removed.Stamp})
	}
	return c.JSON(removedAnswer{Deleted: &removed.Readings, Seq: removed.Stamp})
}
