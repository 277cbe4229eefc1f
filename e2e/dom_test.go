package e2e

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/proto"

	"github.com/edgeauth/edgeauth/e2e/internal/wait"
)

// domTab drives a page with the DOM and Input domains of the browser's protocol alone,
// which work while JavaScript is switched off. The methods of [rod.Element] evaluate
// scripts.
type domTab struct {
	page    *rod.Page
	t       *testing.T
	scripts bool
}

// openDOMTab opens an empty window of its own, with or without JavaScript.
func openDOMTab(t *testing.T, browser *rod.Browser, scripts bool) *domTab {
	t.Helper()
	return newDOMTab(t, openTab(t, browser, "about:blank").Page, scripts)
}

// another opens an empty tab of the same window.
func (p *domTab) another() *domTab {
	p.t.Helper()
	page, err := p.page.Browser().Page(proto.TargetCreateTarget{})
	p.must(err)
	return newDOMTab(p.t, page, p.scripts)
}

func newDOMTab(t *testing.T, page *rod.Page, scripts bool) *domTab {
	t.Helper()
	p := &domTab{page, t, scripts}
	if scripts {
		return p
	}
	p.must(proto.EmulationSetScriptExecutionDisabled{Value: true}.Call(p.page))
	p.visit(`data:text/html,<title>off</title><script>document.title="on"</script>`)
	if got := p.text("title"); got != "off" {
		t.Fatalf("the title is %q, want off: JavaScript is switched on", got)
	}
	return p
}

func (p *domTab) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// visit opens an address and waits for its document.
func (p *domTab) visit(address string) {
	p.t.Helper()
	p.nextPage(func() error {
		_, err := proto.PageNavigate{URL: address}.Call(p.page)
		return err
	})
}

// reload reloads the page. A page that answered a form sends it again.
func (p *domTab) reload() {
	p.t.Helper()
	p.nextPage(func() error { return proto.PageReload{}.Call(p.page) })
}

// nextPage waits for the document to which an action leads.
func (p *domTab) nextPage(action func() error) {
	p.t.Helper()
	before, _, err := p.frame()
	p.must(err)
	p.must(action())
	if !wait.Holds(pageLimit, func() bool {
		now, _, err := p.frame()
		return err == nil && now != before
	}) {
		p.t.Fatalf("the page is still %s\n%s", p.address(), p.text("main"))
	}
}

// frame returns the identity of the document, and its address.
func (p *domTab) frame() (proto.NetworkLoaderID, string, error) {
	tree, err := proto.PageGetFrameTree{}.Call(p.page)
	if err != nil {
		return "", "", err
	}
	return tree.FrameTree.Frame.LoaderID, tree.FrameTree.Frame.URL, nil
}

// address returns the address of the page.
func (p *domTab) address() string {
	p.t.Helper()
	_, address, err := p.frame()
	p.must(err)
	return address
}

// inFrame begins a selector of an element in the first frame of a page.
const inFrame = "iframe >>> "

// find returns the first element of the page, or zero.
func (p *domTab) find(selector string) proto.DOMNodeID {
	depth := 0
	inside, framed := strings.CutPrefix(selector, inFrame)
	if framed {
		depth = -1
	}
	document, err := proto.DOMGetDocument{Depth: &depth, Pierce: framed}.Call(p.page)
	if err != nil {
		return 0
	}
	root := document.Root
	if framed {
		root = frameOf(root)
	}
	if root == nil {
		return 0
	}
	found, err := proto.DOMQuerySelector{NodeID: root.NodeID, Selector: inside}.Call(p.page)
	if err != nil {
		return 0
	}
	return found.NodeID
}

// frameOf returns the document of the first frame below a node, or nil.
func frameOf(node *proto.DOMNode) *proto.DOMNode {
	if node.ContentDocument != nil {
		return node.ContentDocument
	}
	for _, child := range node.Children {
		if found := frameOf(child); found != nil {
			return found
		}
	}
	return nil
}

// await waits for an element, and returns it.
func (p *domTab) await(selector string) proto.DOMNodeID {
	p.t.Helper()
	var found proto.DOMNodeID
	if !wait.Holds(pageLimit, func() bool {
		found = p.find(selector)
		return found != 0
	}) {
		p.t.Fatalf("the page never shows %s; it is %s\n%s", selector, p.address(), p.text("body"))
	}
	return found
}

var tagPattern = regexp.MustCompile(`<[^>]*>`)

// text returns the text of an element once the element is there.
func (p *domTab) text(selector string) string {
	p.t.Helper()
	var markup string
	wait.Until(p.t, pageLimit, selector, func() bool { // the document may be replaced in between
		got, err := proto.DOMGetOuterHTML{NodeID: p.find(selector)}.Call(p.page)
		if err == nil {
			markup = got.OuterHTML
		}
		return err == nil
	})
	return strings.TrimSpace(html.UnescapeString(tagPattern.ReplaceAllString(markup, "")))
}

// act does something to an element once it is there. The browser may replace the document
// after the element was found.
func (p *domTab) act(selector string, do func(proto.DOMNodeID) error) {
	p.t.Helper()
	var failure error
	if !wait.Holds(pageLimit, func() bool {
		failure = do(p.await(selector))
		return failure == nil || !isNavigation(failure)
	}) || failure != nil {
		p.t.Fatalf("use %s: %v", selector, failure)
	}
}

// attribute returns an attribute of an element once the element is there.
func (p *domTab) attribute(selector, name string) string {
	p.t.Helper()
	var got *proto.DOMGetAttributesResult
	p.act(selector, func(node proto.DOMNodeID) (err error) {
		got, err = proto.DOMGetAttributes{NodeID: node}.Call(p.page)
		return err
	})
	for i := 0; i+1 < len(got.Attributes); i += 2 {
		if got.Attributes[i] == name {
			return got.Attributes[i+1]
		}
	}
	return ""
}

// write types a text into an empty field.
func (p *domTab) write(selector, text string) {
	p.t.Helper()
	p.front()
	p.act(selector, func(node proto.DOMNodeID) error { return proto.DOMFocus{NodeID: node}.Call(p.page) })
	p.must(proto.InputInsertText{Text: text}.Call(p.page))
}

// front brings the tab to the front: one in the background receives no input.
func (p *domTab) front() {
	p.t.Helper()
	_, err := p.page.Activate()
	p.must(err)
}

// click clicks an element with the mouse. A picture of the page waits for a frame: before
// the first one, the browser has no place to which a click could go.
func (p *domTab) click(selector string) {
	p.t.Helper()
	p.front()
	p.act(selector, func(node proto.DOMNodeID) error { return proto.DOMScrollIntoViewIfNeeded{NodeID: node}.Call(p.page) })
	_, err := proto.PageCaptureScreenshot{Format: proto.PageCaptureScreenshotFormatJpeg}.Call(p.page)
	p.must(err)
	var quads *proto.DOMGetContentQuadsResult
	wait.Until(p.t, pageLimit, "the place of "+selector, func() (placed bool) {
		var err error
		quads, err = proto.DOMGetContentQuads{NodeID: p.find(selector)}.Call(p.page)
		return err == nil && len(quads.Quads) > 0
	})
	quad := quads.Quads[0]
	x, y := (quad[0]+quad[4])/2, (quad[1]+quad[5])/2
	for _, kind := range []proto.InputDispatchMouseEventType{proto.InputDispatchMouseEventTypeMousePressed, proto.InputDispatchMouseEventTypeMouseReleased} {
		p.must(proto.InputDispatchMouseEvent{Type: kind, X: x, Y: y, Button: proto.InputMouseButtonLeft, ClickCount: 1}.Call(p.page))
	}
}

// submit clicks an element that leads to another page.
func (p *domTab) submit(selector string) {
	p.t.Helper()
	p.nextPage(func() error {
		p.click(selector)
		return nil
	})
}

// mustBe waits for a page of the application of a [pageSite] for this user.
func (p *domTab) mustBe(email, path string) {
	p.t.Helper()
	if user, uri := p.text("#user"), p.text("#uri"); user != email || uri != path {
		p.t.Errorf("the application shows the user %q at %q, want %q at %q", user, uri, email, path)
	}
}

// cookies returns those that the browser sends to an address.
func (p *domTab) cookies(address string) map[string]string {
	p.t.Helper()
	list, err := p.page.Cookies([]string{address})
	p.must(err)
	found := map[string]string{}
	for _, cookie := range list {
		found[cookie.Name] = cookie.Value
	}
	return found
}

// back goes back in the history of the browser to the last page whose address begins with a
// text, and returns the address that the browser then shows.
func (p *domTab) back(address string) string {
	p.t.Helper()
	history, err := proto.PageGetNavigationHistory{}.Call(p.page)
	p.must(err)
	for i := history.CurrentIndex - 1; i >= 0; i-- {
		if strings.HasPrefix(history.Entries[i].URL, address) {
			p.nextPage(func() error {
				return proto.PageNavigateToHistoryEntry{EntryID: history.Entries[i].ID}.Call(p.page)
			})
			return p.address()
		}
	}
	p.t.Fatalf("the history contains no page %s", address)
	return ""
}

// signInHere signs in on the login page that the tab shows, with the link that it contains
// in development.
func (p *domTab) signInHere(email string) {
	p.t.Helper()
	p.write("#email", email)
	p.submit("main form button")
	p.submit(`main a[href*="/auth/link/"]`)
	p.submit("main form button")
}

// inBothModes runs a test with a function that opens windows, with and without JavaScript.
func inBothModes(t *testing.T, browser *rod.Browser, test func(t *testing.T, open func() *domTab)) {
	t.Helper()
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			test(t, func() *domTab {
				t.Helper()
				return openDOMTab(t, browser, scripts)
			})
		})
	}
}
