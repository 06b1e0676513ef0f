package openapitest

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/platform/fault"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/openapi"
)

func TestMain(m *testing.M) { httpservertest.Main(m) }

// sample is the fragment of a tiny module without a fault. Tests replace pieces of it to make one.
const sample = `
openapi: 3.0.3
tags: [{name: pots, description: Pots.}]
paths:
  /api/pots:
    get:
      operationId: listPots
      tags: [pots]
      summary: List pots
      description: All pots.
      security: [{bearer: []}, {query: []}]
      parameters:
        - {name: size, in: query, description: Only pots of these sizes., schema: {type: array, items: {type: integer}}, example: [3, 5]}
        - {name: since, in: query, description: In Unix ms., schema: {type: integer}, example: 1762128000000}
      responses:
        '200':
          description: The pots.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Pot'}}
              example: [{name: a, size: 3}]
            application/x-ndjson:
              schema: {$ref: '#/components/schemas/Pot'}
              example: {name: a, size: 3}
            text/csv:
              schema: {type: string}
              example: "name,size\na,3\n"
        '401': {$ref: '#/components/responses/Unauthenticated'}
        '422': {$ref: '#/components/responses/Invalid'}
        '500': {$ref: '#/components/responses/Internal'}
    post:
      operationId: addPots
      tags: [pots]
      summary: Add pots
      description: One, or many.
      security: [{bearer: []}]
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Pot'}
            examples:
              small: {value: {name: a, size: 3}}
              large: {value: {name: b, size: 500}}
          application/x-ndjson:
            schema: {$ref: '#/components/schemas/Pot'}
            example: {name: c, size: 7}
          text/csv:
            schema: {type: string}
            example: "name,size\nd,3\n"
      responses:
        '201': {description: They are there.}
        '401': {$ref: '#/components/responses/Unauthenticated'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMedia'}
        '422': {$ref: '#/components/responses/Invalid'}
        '500': {$ref: '#/components/responses/Internal'}
  /api/pots/{name}:
    delete:
      operationId: removePot
      tags: [pots]
      summary: Remove a pot
      description: For good.
      security: [{bearer: []}]
      parameters:
        - {name: name, in: path, required: true, description: Its name., schema: {type: string}, example: a}
      responses:
        '204': {description: It is gone.}
        '401': {$ref: '#/components/responses/Unauthenticated'}
        '404': {$ref: '#/components/responses/NotFound'}
        '500': {$ref: '#/components/responses/Internal'}
  /api/steam:
    get:
      operationId: steam
      tags: [pots]
      summary: Follow the steam
      description: Live.
      security: []
      responses:
        '200':
          description: Events without end.
          content:
            text/event-stream:
              schema: {type: string}
              example: "data: {}\n\n"
components:
  schemas:
    Pot:
      type: object
      required: [name, size]
      properties:
        name: {type: string}
        size: {type: integer, minimum: 1}
`

// pots implements the sample, with whatever list of pots the test wants.
type pots struct {
	drain  *httpserver.Drain
	listed string
}

func (p *pots) routes() httpapi.Routes {
	return httpapi.Routes{Name: "pots", Mount: func(api fiber.Router) {
		api.Get("/pots", guarded, func(c *fiber.Ctx) error {
			mediaType := c.Query("as", fiber.MIMEApplicationJSON)
			c.Set(fiber.HeaderContentType, mediaType)
			return c.SendString(p.listed)
		})
		api.Post("/pots", guarded, func(c *fiber.Ctx) error {
			if strings.HasPrefix(c.Get("Content-Type"), "application/json") {
				var pot struct {
					Name string
					Size int
				}
				body, err := httpserver.Body(c, 1<<20)
				if err != nil {
					return err
				}
				if err := json.Unmarshal(body, &pot); err != nil || pot.Size < 1 {
					return fault.InvalidField("size", "must be positive")
				}
			}
			return c.Status(fiber.StatusCreated).Send(nil)
		})
		api.Delete("/pots/:name", guarded, func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusNoContent) })
		api.Get("/steam", func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderContentType, "text/event-stream")
			return httpserver.Hijack(c, func(nc *httpserver.Socket) {
				defer nc.Close()
				_, _ = io.WriteString(nc, "data: {}\n\n")
				gone := make(chan struct{})
				go func() { defer close(gone); _, _ = bufio.NewReader(nc).ReadByte() }()
				select {
				case <-gone:
				case <-p.drain.Draining():
				}
			})
		})
	}}
}

func guarded(c *fiber.Ctx) error {
	if c.Get("Authorization") != "Bearer sesame" && c.Query("access_token") != "sesame" {
		return fault.New(fault.Unauthenticated, "credentials are needed")
	}
	return c.Next()
}

// contract loads the sample, with each old text replaced by a new one.
func contract(t *testing.T, replace ...string) *Contract {
	t.Helper()
	c, err := load(t, replace...)
	require.NoError(t, err)
	return c
}

func load(t *testing.T, replace ...string) (*Contract, error) {
	t.Helper()
	for n := 0; n < len(replace); n += 2 {
		require.Contains(t, sample, replace[n])
	}
	text := strings.NewReplacer(replace...).Replace(sample)
	doc, err := openapi.Assemble("1.2.3", openapi.Fragment{Name: "pots", YAML: []byte(text)})
	require.NoError(t, err)
	return Load(t.Context(), doc.JSON)
}

// serve runs the sample.
func serve(t *testing.T, listed string) *httpservertest.Server {
	t.Helper()
	drain := httpserver.NewDrain()
	p := &pots{drain: drain, listed: listed}
	return httpservertest.Serve(t, []httpapi.Routes{p.routes()}, httpservertest.WithDrain(drain))
}
