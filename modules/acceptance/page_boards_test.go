//go:build e2e

package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// layout returns where the tiles of the board on the page are, as "t1 1 / span 6 1 / span 5".
func (v *visitor) layout() string {
	v.t.Helper()
	return evaluate[string](v.t, v.tab, tileLayout)
}

const tileLayout = `[...document.querySelectorAll('[data-tile]')].map((e) =>
	[e.dataset.tile, e.style.gridColumn, e.style.gridRow].join(' ')).sort().join(', ')`

// awaitLayout waits until the tiles are there.
func (v *visitor) awaitLayout(layout string) {
	v.t.Helper()
	v.await(v.t, tileLayout+` === `+quote(layout))
}

// press presses a key with modifiers.
func (v *visitor) press(key string, modifiers ...chromedp.Modifier) {
	v.t.Helper()
	require.NoError(v.t, v.do(chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers...))))
}

// addTile searches a series and takes the first that is found.
func (v *visitor) addTile(words string) {
	v.t.Helper()
	count := evaluate[int](v.t, v.tab, `document.querySelectorAll('[data-tile]').length`)
	v.write(`document.querySelector('input[name=add]')`, words)
	v.await(v.t, `document.querySelector('.adding [role=option][aria-selected=true]')`)
	v.press("\r")
	v.await(v.t, fmt.Sprintf(`document.querySelectorAll('[data-tile]').length === %d`, count+1))
}

// dragBy draws the element with the mouse.
func (v *visitor) dragBy(element string, dx, dy float64) {
	v.t.Helper()
	x, y := v.middleOf(element)
	steps := []chromedp.Action[chromedp.Void]{
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
	}
	for part := 1; part <= 4; part++ {
		share := float64(part) / 4
		steps = append(steps, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x+dx*share, y+dy*share, chromedp.ButtonLeft))
	}
	steps = append(steps, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, x+dx, y+dy, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	require.NoError(v.t, v.do(steps...))
}

// saveBoard saves the board that is being arranged.
func (v *visitor) saveBoard() {
	v.t.Helper()
	v.click("button", wording(v.t, "action.save"))
	v.await(v.t, `document.querySelector('.board-page') && !document.querySelector('.arranging, dialog')`)
	v.settle()
}

// A board is made, filled by searching and Enter, arranged by keyboard and by mouse, and is the same when it is opened again.
func TestE2EPage_ABoardIsMadeAndArrangedByKeyboardAndMouse(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.postSeconds("a", "temperature", time.Now(), upTo(1, 30)...)
	p.postSeconds("b", "humidity", time.Now(), upTo(1, 30)...)
	v := visitSignedIn(t, p)
	v.at("/boards")
	v.click("button", wording(t, "boards.make"))
	v.await(t, `document.querySelector('dialog input[name=name]')`)
	v.write(`document.querySelector('dialog input[name=name]')`, "Greenhouses\r")
	v.await(t, `document.querySelector('input[name=add]')`)
	v.addTile("temperature")
	v.addTile("humidity b")
	v.awaitLayout("t1 1 / span 6 1 / span 5, t2 7 / span 6 1 / span 5")

	evaluate[bool](t, v.tab, `(document.querySelector('[data-tile=t2]').focus(), true)`)
	v.press(kb.ArrowLeft, chromedp.ModifierAlt, chromedp.ModifierShift)
	v.awaitLayout("t1 1 / span 6 1 / span 5, t2 7 / span 5 1 / span 5")
	v.press(kb.ArrowRight, chromedp.ModifierAlt)
	v.awaitLayout("t1 1 / span 6 1 / span 5, t2 8 / span 5 1 / span 5")
	require.Equal(t, "t2", evaluate[string](t, v.tab, `document.activeElement.dataset.tile`), "the focus goes with the tile")

	column := evaluate[float64](t, v.tab, `document.querySelector('.board').clientWidth / 12`)
	v.dragBy(`document.querySelector('[data-tile=t2] header h2')`, -7*column, 6*56)
	v.awaitLayout("t1 1 / span 6 1 / span 5, t2 1 / span 5 6 / span 5")
	v.dragBy(`document.querySelector('[data-tile=t2] .corner')`, 2*column, 56)
	v.awaitLayout("t1 1 / span 6 1 / span 5, t2 1 / span 7 6 / span 6")
	v.click("button", wording(t, "boards.undo"))
	v.awaitLayout("t1 1 / span 6 1 / span 5, t2 1 / span 5 6 / span 5")
	v.saveBoard()

	v.at(v.path())
	v.see("Greenhouses")
	v.awaitLayout("t1 1 / span 6 1 / span 5, t2 1 / span 5 6 / span 5")
	v.drawn(2)
	v.see("humidity")
}

// keptBoard is what the server has of a board.
type keptBoard struct {
	Name     string
	Document json.RawMessage
}

func (p *program) boardOf(id string) (board keptBoard) {
	p.t.Helper()
	p.call("GET", "/api/boards/"+id, "", "", &board)
	return board
}

// Of two who change a board at a time the second is told, and chooses: nothing is lost until then.
func TestE2EPage_TwoWhoArrangeABoardAreToldOfEachOther(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.postSeconds("greenhouse-1", "temperature", time.Now(), 1)
	id := p.board()
	first, second := visitSignedIn(t, p), visitSignedIn(t, p)
	const name = `document.querySelector('.board-page .fields input')`
	for v, named := range map[*visitor]string{first: "The first", second: "The second"} {
		v.forgive(`status of 409 `)
		v.at("/boards/" + id)
		v.click("button", wording(t, "boards.arrange"))
		v.await(t, name)
		v.write(name, named)
	}
	first.saveBoard()
	require.Equal(t, "The first", p.boardOf(id).Name)

	second.click("button", wording(t, "action.save"))
	second.see(wording(t, "boards.conflictWhat"))
	second.click("button", wording(t, "boards.goOn"))
	require.Equal(t, "The second", evaluate[string](t, second.tab, name+`.value`), "what was written is still there")
	require.Equal(t, "The first", p.boardOf(id).Name)
	first.click("button", wording(t, "boards.arrange"))
	first.await(t, name)
	first.write(name, "The first again")
	second.click("button", wording(t, "action.save"))
	second.see(wording(t, "boards.conflictWhat"))
	second.click("button", wording(t, "boards.overwrite"))
	second.await(t, `!document.querySelector('.arranging, dialog')`)
	require.Equal(t, "The second", p.boardOf(id).Name)

	first.click("button", wording(t, "action.save"))
	first.see(wording(t, "boards.conflictWhat"))
	first.click("button", wording(t, "boards.loadTheirs"))
	first.await(t, `document.querySelector('.board-page h1:not(.visually-hidden)')?.innerText === 'The second'`)
	require.Equal(t, "The second", p.boardOf(id).Name)
}

// A board goes into a file and out of it as it is; what is no board is said to be none.
func TestE2EPage_ABoardIsExportedAndImported(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.postSeconds("greenhouse-1", "temperature", time.Now(), 1)
	id := p.board()
	v := visitSignedIn(t, p)
	folder := t.TempDir()
	command(t, v.tab, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder,
	})
	v.at("/boards/" + id)
	layout := v.layout()
	v.clickOn(`document.querySelector('.page-head .dots summary')`)
	v.click("button", wording(t, "boards.export"))
	file := filepath.Join(folder, "Greenhouses.json")
	require.Eventually(t, func() bool {
		content, err := os.ReadFile(file)
		return err == nil && json.Valid(content)
	}, browserTimeout, 20*time.Millisecond, "the file comes")

	v.at("/boards")
	broken := filepath.Join(folder, "broken.json")
	require.NoError(t, os.WriteFile(broken, []byte(`{"name":"x","document":{"tiles":[{"id":"a","kind":"pie"}]}}`), 0o600))
	const field = "form.import input[name=file]"
	require.NoError(t, v.do(chromedp.SetUploadFiles(chromedp.CSS(field), []string{broken})))
	v.see("document.tiles[0].kind")
	require.NoError(t, v.do(chromedp.SetUploadFiles(chromedp.CSS(field), []string{file})))
	v.await(t, `/^\/boards\/[^/]+$/.test(location.pathname)`)
	v.settle()
	v.awaitLayout(layout)
	made := strings.TrimPrefix(v.path(), "/boards/")
	require.NotEqual(t, id, made)
	require.Equal(t, p.boardOf(id).Name, p.boardOf(made).Name)
	require.JSONEq(t, string(p.boardOf(id).Document), string(p.boardOf(made).Document))
}
