package dataset

// Word is what an item is called: "clip" or "picture".
func (i *Item) Word() string {
	if i.Clip != nil {
		return "clip"
	}
	return "picture"
}

// Words are what one item of the set is called, and several: of clips alone "clip" and "clips"; of pictures, and where
// both are there, "picture" and "pictures".
func (d *Dataset) Words() (one, more string) {
	for i := range d.Items {
		if d.Items[i].Clip == nil {
			return "picture", "pictures"
		}
	}
	if len(d.Items) == 0 {
		return "picture", "pictures"
	}
	return "clip", "clips"
}
