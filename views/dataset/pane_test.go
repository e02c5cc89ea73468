package dataset

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/media"
	"finetui/core/project"
	"finetui/core/stats"
	"finetui/views"
	"finetui/views/viewtest"
)

// newProject is a config.toml of its own on a data set; changes are SECTION.KEY=value.
func newProject(t *testing.T, changes ...string) *config.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	write(path, config.Render(demoConfig()))
	file, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Override(changes); err != nil {
		t.Fatal(err)
	}
	return file
}

// slopeProject is a project of its own on the test's large data set.
func slopeProject(t *testing.T) *config.File {
	return newProject(t, "DATASET.PATH="+filepath.Join(slope(), "demo", "data"),
		"DATASET.ANALYSIS=dataset_analysis.json")
}

func openFile(t *testing.T, file *config.File, w, h int) (*Pane, *viewtest.Driver) {
	t.Helper()
	p := New(file, control())
	return p, viewtest.OpenProject(t, p, file, project.ReadShared, w, h)
}

// drawnWhole draws a pane at a few sizes; viewtest.Sizes, which draws all, has its own test.
func drawnWhole(t *testing.T, p *Pane) {
	t.Helper()
	for _, size := range [][2]int{{60, 18}, {73, 21}, {80, 22}, {101, 27}, {150, 40}, {200, 58}} {
		if fault := viewtest.Fault(func(w, h int) string { return p.View(theme, w, h) }, size[0],
			size[1]); fault != "" {
			t.Errorf("at %d×%d: %s", size[0], size[1], fault)
		}
	}
}

func TestWithoutADataSetThePaneSaysWhatToDo(t *testing.T) {
	empty := t.TempDir()
	for _, split := range []string{"train/images", "train/labels"} {
		if err := os.MkdirAll(filepath.Join(empty, split), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(empty, "data.yaml"), []byte("train: train/images\nnames: [a, b]\n"))
	notASet := t.TempDir()
	for _, c := range []struct {
		name string
		file *config.File
		says []string
	}{
		{"no config", nil, []string{"No project is open", "finetui new demo"}},
		{"no folder", newProject(t), []string{"No data set at demo/data", "Press m", "DATASET.PATH"}},
		{"no pictures", newProject(t, "DATASET.PATH="+empty), []string{"No pictures in", "train/images"}},
		{"no data set", newProject(t, "DATASET.PATH="+notASet), []string{"✗ The data set cannot be read",
			"DATASET.PATH", "data.yaml"}},
	} {
		p, d := openFile(t, c.file, 80, 22)
		d.Wait("the reading", func() bool { return !p.pending() })
		text := strings.Join(strings.Fields(d.Screen()), " ")
		for _, says := range c.says {
			if !strings.Contains(text, says) {
				t.Errorf("%s: %q is missing on\n%s", c.name, says, d.Screen())
			}
		}
		d.Press("]", "tab", "down", "enter", "/", "e", "y", "s", "esc", "+") // nothing there to break
		drawnWhole(t, p)
	}
}

func TestWhileReadingTheScreenSaysSo(t *testing.T) {
	p := New(slopeProject(t), control())
	p.Init()
	p.Update(tea.WindowSizeMsg{Width: 80, Height: 22})
	if screen := viewtest.Draw(p.View(theme, 80, 22), 80, 22); !strings.Contains(screen, "Reading the data set at") {
		t.Errorf("the screen is\n%s", screen)
	}
	for _, action := range p.Actions() {
		if action.Name == "next_view" && action.On() {
			t.Error("views can be turned before there is anything to see")
		}
	}
}

func TestAFaultThatIsMendedIsReadAgain(t *testing.T) {
	file := newProject(t)
	p, d := openFile(t, file, 100, 28)
	d.Wait("the reading", func() bool { return !p.pending() })
	if err := file.Set("DATASET.PATH", filepath.Join(slope(), "demo", "data")); err != nil {
		t.Fatal(err)
	}
	d.Send(views.ConfigChanged{File: file}).Wait("the data set", p.settled)
	if !d.Shows("1465 objects") {
		t.Errorf("the screen is\n%s", d.Screen())
	}
}

func TestADataSetThatVanishesLeavesNothingToBreak(t *testing.T) {
	file := slopeProject(t)
	p, d := openFile(t, file, 120, 30)
	d.Wait("the data set", p.settled)
	show(p, d, samplesView)
	d.Press("tab", "down", "enter", "/").Type("slope")
	actions := p.Actions()
	if err := file.Set("DATASET.PATH", "nowhere"); err != nil {
		t.Fatal(err)
	}
	d.Send(views.ConfigChanged{File: file}).Wait("the reading", func() bool { return !p.pending() })
	if p.Capturing() || !d.Shows("No data set at nowhere") {
		t.Errorf("capturing %v, the screen is\n%s", p.Capturing(), d.Screen())
	}
	for _, action := range actions { // as a palette that was opened before would
		action.Run()
	}
	p.Leave()
	d.Press("enter", "esc", "]", "S", "y", "e", "/")
	if err := file.Set("DATASET.PATH", filepath.Join(slope(), "demo", "data")); err != nil {
		t.Fatal(err)
	}
	if d.Send(views.ConfigChanged{File: file}).Wait("the data set", p.settled); !d.Shows("pictures") {
		t.Errorf("the screen is\n%s", d.Screen())
	}
}

func TestASetWithoutClassesOrObjectsIsShown(t *testing.T) {
	root := t.TempDir()
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 3 {
		write(filepath.Join(root, "train", "images", fmt.Sprintf("bare_%d.png", i)), hill(rng))
		write(filepath.Join(root, "train", "labels", fmt.Sprintf("bare_%d.txt", i)), nil)
	}
	for _, names := range []string{"names: []\n", "names: [wall]\n"} {
		write(filepath.Join(root, "data.yaml"), []byte("train: train/images\n"+names))
		p, d := openFile(t, newProject(t, "DATASET.PATH="+root), 120, 30)
		d.Wait("the data set", p.settled)
		for _, view := range p.views.Names() {
			show(p, d, view)
			drawnWhole(t, p)
			d.Press("down", "right", "tab", "down", "left", "v", "y", "ctrl+r").Wait("the data set", p.settled)
			d.Press("enter").Wait("the pictures", p.settled)
			drawnWhole(t, p)
			d.Press("esc")
		}
	}
}

func TestOnlyAnotherDataSetIsReadAnew(t *testing.T) {
	file := slopeProject(t)
	p, d := openFile(t, file, 120, 30)
	d.Wait("the data set", p.settled)
	set := func(name, value string) {
		t.Helper()
		if err := file.Set(name, value); err != nil {
			t.Fatal(err)
		}
		d.Send(views.ConfigChanged{File: file}).Wait("the data set", p.settled)
	}
	if set("TRAIN.EPOCHS", "3"); p.reads != 1 {
		t.Errorf("read %d times after a change of TRAIN", p.reads)
	}
	if set("DATASET.BOTTOM_ABOVE", "0.7"); p.reads != 2 || p.bandOf(0.65) != "Middle" {
		t.Errorf("read %d times after a change of DATASET, 0.65 is %s", p.reads, p.bandOf(0.65))
	}
	if d.Send(views.DatasetChanged{}).Wait("the data set", p.settled); p.reads != 3 {
		t.Errorf("read %d times after a change on disk", p.reads)
	}
}

func TestASelectedClassStaysThroughAReload(t *testing.T) {
	p, d := open(t, 120, 30)
	d.Press("down", "down")
	name := p.className()
	d.Press("ctrl+r").Wait("the data set", func() bool { return p.reads == 2 && p.settled() })
	if p.className() != name {
		t.Errorf("selected %s, before the reload %s", p.className(), name)
	}
}

func TestSplitChangesEveryNumber(t *testing.T) {
	p, d := open(t, 120, 30)
	for _, want := range []string{"split train · 1129 objects · 218 pictures",
		"split valid · 208 objects · 47 pictures", "split test · 128 objects · 25 pictures",
		"all splits · 1465 objects · 290 pictures"} {
		if d.Press("S").Wait("the pictures", p.settled); !d.Shows(want) {
			t.Errorf("%q is missing on\n%s", want, d.Screen())
		}
	}
}

func TestFilterNarrowsTheClassesAndEscShowsAllAgain(t *testing.T) {
	p, d := open(t, 120, 30)
	if d.Press("/").Type("TOE"); len(p.order()) >= 9 {
		t.Error("the filter waits for enter")
	}
	d.Type(" DRAIN").Press("enter")
	if got := len(p.order()); got != 3 {
		t.Errorf("%d classes pass", got)
	}
	if p.className() != "Toe drain- Blocked" {
		t.Errorf("selected is %s, which the filter does not show", p.className())
	}
	if d.Press("esc"); len(p.order()) != 9 {
		t.Error("esc left the filter on")
	}
	d.Press("/").Type("nothing has this").Press("enter")
	if len(p.order()) != 9 {
		t.Error("a filter that no class passes must not empty the bars")
	}
	show(p, d, samplesView)
	if len(p.samples.items) != 0 || !d.Shows("No picture passes") {
		t.Errorf("the screen is\n%s", d.Screen())
	}
}

func TestEnterLeadsFromAClassToItsPicturesAndIntoOne(t *testing.T) {
	p, d := open(t, 120, 30)
	d.Press("down", "enter").Wait("the pictures", p.settled) // slope drain
	want := p.analysis.Whole.ImagesWithClass[p.class]
	if !p.views.Is(samplesView) || len(p.samples.items) != want || !d.Shows(fmt.Sprintf("%d of 290 pictures", want)) {
		t.Fatalf("%d pictures instead of %d:\n%s", len(p.samples.items), want, d.Screen())
	}
	d.Press("right", "enter").Wait("the picture", p.settled)
	item := p.samples.one.oneItem()
	if got := p.set.Classes[item.Objects[p.samples.one.object.Index].Class].Name; got != "slope drain" {
		t.Errorf("the opened picture begins with its %s", got)
	}
	if !d.Shows("What the model is asked") || !d.Shows(item.ID) {
		t.Errorf("the screen is\n%s", d.Screen())
	}
	d.Press("esc")
	if p.views.Is(pictureView) {
		t.Error("esc did not leave the picture")
	}
	if d.Press("esc"); len(p.samples.items) != 290 {
		t.Errorf("the second esc left %d pictures", len(p.samples.items))
	}
}

func TestFacetsCombine(t *testing.T) {
	p, d := open(t, 120, 30)
	show(p, d, samplesView)
	d.Press("tab")
	for _, want := range []struct{ kind, value string }{{"split", "valid"}, {"condition", "blocked"}} {
		for i, line := range p.samples.choices() {
			if line.kind == want.kind && line.value == want.value {
				p.samples.line.Index = i
			}
		}
		d.Press("enter").Wait("the pictures", p.settled)
	}
	if len(p.samples.items) == 0 {
		t.Fatal("nothing passes")
	}
	for _, i := range p.samples.items {
		item := p.set.Items[i]
		blocked := false
		for _, object := range item.Objects {
			blocked = blocked || p.set.Classes[object.Class].Condition == "blocked"
		}
		if item.Split != "valid" || !blocked {
			t.Errorf("%s passes", item.ID)
		}
	}
	p.samples.line.Index = 0
	if d.Press("enter"); len(p.samples.items) != 290 {
		t.Error("everything did not bring everything back")
	}
}

func TestAFindingLeadsToItsPicture(t *testing.T) {
	p, d := openProject(t, faulty(), 120, 30)
	show(p, d, findingsView)
	d.Press("tab", "enter").Wait("the picture", p.settled)
	if !p.views.Is(samplesView) || p.samples.one.oneItem() == nil || p.samples.one.oneItem().ID != "train/slope_02" {
		t.Fatalf("the screen is\n%s", d.Screen())
	}
	show(p, d, findingsView)
	for !d.Shows("Class count differs") { // the title of its places
		d.Press("shift+tab", "down", "tab")
	}
	if d.Press("enter"); !p.views.Is(findingsView) || !toasted(d, "about no single picture") {
		t.Error("a finding on data.yaml led to a picture")
	}
}

func TestLostRowsAreSaidWithTheirLikelyCause(t *testing.T) {
	root := t.TempDir()
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range 4 {
		write(filepath.Join(root, "train", "images", fmt.Sprintf("%d.png", i)), hill(rng))
		write(filepath.Join(root, "train", "labels", fmt.Sprintf("%d.txt", i)),
			fmt.Appendf(nil, "%d .5 .5 .2 .2\n", 1+i%2))
	}
	write(filepath.Join(root, "data.yaml"), []byte("train: train/images\nnames: [crack, hole]\n"))
	p, d := openFile(t, newProject(t, "DATASET.PATH="+root), 120, 30)
	d.Wait("the data set", p.settled)
	if !strings.Contains(d.Screen(), "! 2 of 4 rows do not count") {
		t.Errorf("the overview is\n%s", d.Screen())
	}
	show(p, d, findingsView)
	if !strings.Contains(d.Screen(), "ids begin with 1") {
		t.Errorf("the findings are\n%s", d.Screen())
	}
}

// toasted says whether a toast with that text was shown.
func toasted(d *viewtest.Driver, text string) bool {
	for _, msg := range d.Seen() {
		if toast, ok := msg.(views.Toast); ok && strings.Contains(toast.Text, text) {
			return true
		}
	}
	return false
}

func TestPairsAreToldFromTheRowsSide(t *testing.T) {
	p, d := open(t, 120, 30)
	show(p, d, pairsView)
	v := &pairs{shared: p.shared}
	v.refresh() // as the pane's own did
	v.listItems()(t.Context())()
	a, b := p.class, v.b
	there, back := v.relation(a, b), v.relation(b, a)
	if there.Above != back.Below || there.Left != back.Right || there.Above+there.Below+there.Level == 0 {
		t.Errorf("%v turned round is %v", there, back)
	}
	c, _ := v.together(a, b)
	if len(v.items) != c.Images {
		t.Errorf("%d pictures with both, and %d are counted", len(v.items), c.Images)
	}
	if d.Press("enter"); len(p.samples.items) != c.Images {
		t.Errorf("enter shows %d pictures", len(p.samples.items))
	}
}

func TestExportWritesTheAnalysisAndASheet(t *testing.T) {
	file := slopeProject(t)
	p, d := openFile(t, file, 120, 30)
	d.Wait("the data set", p.settled).Press("e").Wait("the file",
		func() bool { return toasted(d, "dataset_analysis.json") })
	text, err := os.ReadFile(filepath.Join(file.Root, "dataset_analysis.json"))
	if err != nil || !strings.Contains(string(text), `"total_instances": 1465`) {
		t.Errorf("%v, %d bytes", err, len(text))
	}
	show(p, d, samplesView)
	// more pictures than a page of the screen or one sheet holds
	p.samples.show(facets{classes: []string{"Toe drain"}}, 0)
	n := len(p.samples.items)
	want := (n + sheetColumns*sheetRows - 1) / (sheetColumns * sheetRows)
	if want < 2 {
		t.Fatalf("%d pictures fill one sheet", n)
	}
	d.Press("e").Wait("the sheets", func() bool {
		return toasted(d, fmt.Sprintf("wrote %d pictures on %d sheets to .finetui/exports/samples-", n, want))
	})
	sheets, err := filepath.Glob(filepath.Join(config.Exports(file.Root), "samples-*", "sheet-*.png"))
	if err != nil || len(sheets) != want {
		t.Fatalf("%d sheets, want %d: %v", len(sheets), want, err)
	}
	sheet, err := media.NewCache(1 << 30).Decode(sheets[0])
	if err != nil || sheet.W < sheetColumns*sheetSide {
		t.Errorf("the sheet: %v", err)
	}
	if _, err := os.Stat(filepath.Join(file.Root, "samples.png")); err == nil {
		t.Error("a sheet lies in the project's root")
	}
}

func TestSeveralMarkedClassesPassAndAreOrdered(t *testing.T) {
	p, d := open(t, 120, 30)
	show(p, d, samplesView)
	d.Press("tab")
	choose := func(value, key string) {
		for i, line := range p.samples.choices() {
			if line.value == value {
				p.samples.line.Index = i
			}
		}
		d.Press(key).Wait("the pictures", p.settled)
	}
	choose("Toe drain", "space")
	one := len(p.samples.items)
	choose("vegetation", "space")
	union := p.index.Items(stats.Filter{Classes: []string{"Toe drain", "vegetation"}})
	if !slices.Equal(p.samples.items, union) || len(union) <= one || !d.Shows("Toe drain or vegetation") {
		t.Errorf("%d pictures pass, want %d:\n%s", len(p.samples.items), len(union), d.Screen())
	}
	choose("Toe drain", "space")
	choose("rock toe", "enter")
	if !slices.Equal(p.samples.classes, []string{"rock toe"}) {
		t.Errorf("enter left %v", p.samples.classes)
	}
	for o, key := range map[order]func(item int) float64{
		mostObjects: func(i int) float64 { return -float64(len(p.set.Items[i].Objects)) },
		smallestObject: func(i int) float64 {
			least := 1.0
			for _, object := range p.set.Items[i].Objects {
				least = min(least, (object.Box.X1-object.Box.X0)*(object.Box.Y1-object.Box.Y0))
			}
			return least
		},
		asInTheSet: func(i int) float64 { return float64(i) },
	} {
		d.Press("o")
		p.choice.Cursor.Index = int(o)
		d.Press("enter").Wait("the pictures", p.settled)
		for at, i := range p.samples.items[1:] {
			if before := p.samples.items[at]; key(before) > key(i) {
				t.Fatalf("%s: %s comes before %s", o, p.set.Items[before].ID, p.set.Items[i].ID)
			}
		}
	}
}

func TestWithoutConditionsClassesHaveTheirColours(t *testing.T) {
	p, _ := openProject(t, slope(), 120, 30)
	if p.coloursByClass() || p.letter(0) != "" {
		t.Error("the demo's conditions do not decide its colours")
	}
	for i := range p.set.Classes {
		p.set.Classes[i].Condition = "normal"
	}
	if p.colour(0) == p.colour(1) || p.colour(1) == p.colour(2) || p.letter(2) != "3" {
		t.Errorf("classes are drawn in %v, %v, %v, the third with %q", p.colour(0), p.colour(1), p.colour(2),
			p.letter(2))
	}
	if bars := (&overview{shared: p.shared}).classBars(); bars.Items[0].Ink == nil {
		t.Error("its bar has no colour of its own")
	}
}

func TestADirectionIsToldOnlyWhereItIsTheUsualOne(t *testing.T) {
	for _, c := range []struct {
		left, aligned, right int
		want                 string
	}{
		{49, 17, 34, "a lies now above, now below b, on either side"}, // of 100: most often left, but not mostly
		{55, 20, 25, "a lies now above, now below b, on either side"}, // 95 %: 45 to 64 %
		{65, 10, 25, "a lies to the left of (65 %) b, now above, now below"},
		{490, 170, 340, "a lies now above, now below b, on either side"},
	} {
		n := c.left + c.aligned + c.right
		d := stats.Directions{Above: n / 3, Level: n / 3, Below: n - 2*(n/3), Left: c.left, Aligned: c.aligned,
			Right: c.right}
		if got := placeWords("a", "b", d, n); got != c.want {
			t.Errorf("%d left, %d aligned, %d right: %q, want %q", c.left, c.aligned, c.right, got, c.want)
		}
	}
}

func TestCopyIsATableOfWhatIsShown(t *testing.T) {
	p, d := open(t, 120, 30)
	for _, view := range p.views.Names() {
		show(p, d, view)
		before := len(d.Seen())
		d.Press("y")
		found := false
		for _, msg := range d.Seen()[before:] {
			found = found || strings.Contains(fmt.Sprint(msg), "\t")
		}
		if !found {
			t.Errorf("%s copies no table", view)
		}
	}
}

func TestWithoutPicturesWordsStandInTheirPlace(t *testing.T) {
	file := slopeProject(t)
	if err := file.Set("VIEW.IMAGES", "words"); err != nil {
		t.Fatal(err)
	}
	p, d := openFile(t, file, 120, 30)
	d.Wait("the data set", p.settled)
	show(p, d, samplesView)
	d.Golden("words-120x32")
	d.Press("enter")
	drawnWhole(t, p)
}

func TestAPictureThatCannotBeDecodedSaysSo(t *testing.T) {
	p, d := openProject(t, faulty(), 120, 30)
	d.Press("/").Type("slope_08").Press("enter")
	show(p, d, samplesView)
	if !d.Shows("✗") || d.Shows(os.TempDir()) {
		t.Errorf("the screen does not say why, or where again:\n%s", d.Screen())
	}
}

// The pane says of sets that join what the verbs say.
func TestSetsThatJoinAreToldOnTheScreen(t *testing.T) {
	root := t.TempDir()
	t.Setenv("DATASET_DIR", root)
	picture := filepath.Join(slope(), "demo", "data", "train", "images", "slope_0001.png")
	write(filepath.Join(root, "sets.json"), []byte(`{"talk": {"annotation_path": "talk.jsonl"}}`))
	write(filepath.Join(root, "talk.jsonl"), []byte(`{"image":"`+picture+`","messages":[{"role":"user","content":`+
		`"<image>How is it?"},{"role":"assistant","content":"words"}]}`))
	file := slopeProject(t)
	p, d := openFile(t, file, 200, 58)
	d.Wait("the data set", p.settled)
	for range 20 {
		if p.views.Is(findingsView) {
			break
		}
		d.Press("]")
	}
	for _, want := range []string{"the set talk joins with 1 sample", "the set qved is passed over"} {
		d.Press("down")
		if text := strings.Join(strings.Fields(d.Screen()), " "); !strings.Contains(text, want) {
			t.Errorf("%q is missing on\n%s", want, d.Screen())
		}
	}
	if err := file.Set("DATASET.SETS", "gone"); err != nil {
		t.Fatal(err)
	}
	d.Send(views.ConfigChanged{File: file}).Wait("the reading", func() bool { return d.Shows("DATASET.SETS") })
	if text := strings.Join(strings.Fields(d.Screen()), ""); !strings.Contains(text,
		filepath.Join(root, "gone.json")) {
		t.Errorf("the file that was looked for is missing on\n%s", d.Screen())
	}
}
