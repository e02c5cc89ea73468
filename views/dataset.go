package views

import (
	"context"
	"reflect"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/views/widget"
)

// Dataset is what there is of the project's data set now. The root has it read once and sends it to every pane whenever
// it stands otherwise; nobody changes the set.
type Dataset struct {
	Set  *dataset.Dataset // nil: there is none to show; Err says why, unless it is being read
	Of   config.Dataset   // it was read with these
	Root string           // folder that their paths start from
	Err  error

	Reading  bool // another look is on its way; Set is the one before
	Progress widget.Progress
}

// Is says whether the set is that of a configuration, and is not about to be another one.
func (d *Dataset) Is(file *config.File) bool {
	return d.Set != nil && !d.Reading && d.of(file)
}

func (d *Dataset) of(file *config.File) bool {
	return file != nil && d.Root == file.Root && reflect.DeepEqual(d.Of, file.Config.Dataset)
}

// DatasetChanged says that labels or pictures on disk are others than before. The root has the set read again and sends
// a Dataset.
type DatasetChanged struct{}

// Reread asks for another look at the data set.
func Reread() tea.Cmd { return func() tea.Msg { return DatasetChanged{} } }

// ReadDataset reads a data set; again asks for another look at files that were read before.
type ReadDataset func(ctx context.Context, cfg config.Dataset, root string, again bool,
	report func(done, total int, what string)) (*dataset.Dataset, error)

// DatasetOwner has the project's data set read and knows how it stands. There is one in a program: the root's.
type DatasetOwner struct {
	Read ReadDataset

	now     Dataset
	request Request
}

// datasetStep is one message of a reading: how far it is, or the set.
type datasetStep struct {
	progress widget.Progress
	set      *dataset.Dataset
}

// Update takes what concerns the data set: constants that are others, another look that is asked for, and what a
// reading says. tell is to be sent to the panes, after msg itself; nil: it stands as before.
func (o *DatasetOwner) Update(msg tea.Msg) (tell *Dataset, cmd tea.Cmd) {
	switch msg := msg.(type) {
	case ConfigChanged:
		return o.Follow(msg.File)
	case DatasetChanged:
		if o.now.Root != "" {
			return o.look(true)
		}
	case Batch[datasetStep]:
		return o.took(msg)
	}
	return nil, nil
}

// Follow reads the data set of a configuration unless that has been done, or is on its way. nil: there is none.
func (o *DatasetOwner) Follow(file *config.File) (tell *Dataset, cmd tea.Cmd) {
	switch {
	case file == nil:
		o.request.Close()
		o.now = Dataset{}
		return o.told(), nil
	case o.now.of(file) && (o.now.Reading || o.now.Set != nil || o.now.Err == nil && o.now.Root != ""):
		return nil, nil
	}
	o.now.Of, o.now.Root = file.Config.Dataset, file.Root
	return o.look(false)
}

func (o *DatasetOwner) look(again bool) (*Dataset, tea.Cmd) {
	cfg, root, read := o.now.Of, o.now.Root, o.Read
	o.now.Reading, o.now.Err, o.now.Progress = true, nil, widget.Progress{What: "reading"}
	cmd := Listen(&o.request, func(ctx context.Context, emit func(datasetStep)) error {
		set, err := read(ctx, cfg, root, again, func(done, total int, what string) {
			emit(datasetStep{progress: widget.Progress{What: what, Done: done, Total: total}})
		})
		if err == nil {
			emit(datasetStep{set: set})
		}
		return err
	})
	return o.told(), cmd
}

func (o *DatasetOwner) took(msg Batch[datasetStep]) (*Dataset, tea.Cmd) {
	if !o.request.Takes(msg.Ticket) {
		return nil, nil
	}
	var set *dataset.Dataset
	for _, step := range msg.Values {
		if step.set != nil {
			set = step.set
		} else {
			o.now.Progress = step.progress
		}
	}
	if set != nil {
		o.now.Set, o.now.Err = set, nil
	}
	if msg.Ended {
		o.request.Close()
		o.now.Reading = false
		if o.now.Err = msg.Err; msg.Err != nil {
			o.now.Set = nil
		}
	}
	return o.told(), msg.Next
}

func (o *DatasetOwner) told() *Dataset {
	copied := o.now
	return &copied
}
