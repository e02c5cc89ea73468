package train

import "slices"

// Limits bound what runs in one pass of one replica, and so its memory. A sample larger than Tokens gets a pass of its
// own.
type Limits struct {
	Tokens    int // and picture patches; 0: no bound
	Sequences int // 0: no bound
}

// plan deals the samples out to replicas and packs each one's share, the same way each time: the largest sample first
// to the replica with the least so far, then, within a replica, in the order given.
func plan(samples []Sample, replicas int, limits Limits) [][]*Pack {
	order := make([]int, len(samples))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return samples[b].size() - samples[a].size() })
	shares, loads := make([][]int, replicas), make([]int, replicas)
	for _, i := range order {
		least := 0
		for r := range loads {
			if loads[r] < loads[least] {
				least = r
			}
		}
		shares[least] = append(shares[least], i)
		loads[least] += samples[i].size()
	}
	packs := make([][]*Pack, replicas)
	for r, share := range shares {
		slices.Sort(share)
		packs[r] = limits.pack(samples, share)
	}
	return packs
}

// Shares are the samples that run together: of each replica, pass by pass,
// their indices. What a pass keeps in memory depends on them.
func Shares(samples []Sample, replicas int, limits Limits) [][][]int {
	out := make([][][]int, replicas)
	for r, packs := range plan(samples, replicas, limits) {
		for _, p := range packs {
			out[r] = append(out[r], p.Index)
		}
	}
	return out
}

// pack cuts a share into passes.
func (l Limits) pack(samples []Sample, share []int) (packs []*Pack) {
	size := 0
	for _, i := range share {
		s := &samples[i]
		size += s.size()
		if last := len(packs) - 1; last < 0 || l.Tokens > 0 && size > l.Tokens || l.Sequences > 0 &&
			len(packs[last].Samples) == l.Sequences {
			packs = append(packs, new(Pack))
			size = s.size()
		}
		p := packs[len(packs)-1]
		p.Samples, p.Index = append(p.Samples, s), append(p.Index, i)
	}
	return packs
}

// dropoutKey is the stream of dropout of one sample in one step. It knows nothing of replicas and packs.
func dropoutKey(seed uint64, step int, sample uint64) uint64 {
	return mix(mix(mix(seed)+uint64(step)) + sample)
}

// mix is the finalizer of splitmix64 (Steele, Lea & Flood 2014): near keys give unrelated streams.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
