package dataset

import "context"

// A Probe looks into the file of a clip: its size in pixels as it is meant to be seen, its frames and how long they
// take. An error says why it cannot be shown.
type Probe func(ctx context.Context, path string) (width, height int, clip Clip, err error)

// probing is the key of Probing.
type probing struct{}

// Probing hands a reader what looks into clips. Without it their sizes stay unknown: a probe takes as long as a hundred
// pictures' headers, so that who only counts does without.
func Probing(ctx context.Context, probe Probe) context.Context {
	return context.WithValue(ctx, probing{}, probe)
}

// probeClips fills in the sizes and frames of the clips, on all cores, where there is a probe. A clip that cannot be
// shown is Broken.
func probeClips(ctx context.Context, set *Dataset, report Progress) error {
	probe, is := ctx.Value(probing{}).(Probe)
	if !is {
		return nil
	}
	var clips []int
	for i := range set.Items {
		if set.Items[i].Clip != nil && set.Items[i].Media != "" {
			clips = append(clips, i)
		}
	}
	faults := make([]error, len(clips))
	err := share(ctx, len(clips), "looking into clips", report, func() func(i int) {
		return func(i int) {
			item, known := &set.Items[clips[i]], Clip{}
			var width, height int
			if width, height, known, faults[i] = probe(ctx, item.Media); faults[i] == nil {
				item.Clip = &known // they shared one that knows nothing
			}
			item.setSize(width, height)
		}
	})
	if err != nil {
		return err
	}
	for i, fault := range faults {
		if fault != nil {
			item := &set.Items[clips[i]]
			item.Broken = true
			set.Findings = append(set.Findings, newFinding(UnreadableClip, set.Short(item.Media), 0, "%v", bare(fault)))
		}
	}
	return nil
}
