package devices

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"telltale/modules/series"
	"telltale/platform/fault"
)

// row checks the draft and returns it as the devices table has it.
func (d Draft) row() (deviceRow, error) {
	var faults faults
	faults.check("id", ValidateID(d.ID))
	faults.check("name", validateName(d.Name))
	faults.addTags(d.Tags)
	faults.addUnits(d.Units)
	metadata := json.RawMessage(`{}`)
	if d.Metadata != nil {
		object, err := parseMetadata(d.Metadata)
		if err == nil {
			metadata, err = formatMetadata(object)
		}
		faults.check("metadata", err)
	}
	return deviceRow{ID: d.ID, Name: d.Name, Metadata: metadata, Tags: tagSet(d.Tags), RetentionDays: specific(d.RetentionDays)}, faults.Err()
}

func (p Patch) validate() error {
	var faults faults
	if p.Name != nil {
		faults.check("name", validateName(*p.Name))
	}
	if p.Tags != nil {
		faults.addTags(*p.Tags)
	}
	if p.Metadata != nil && !isNull(p.Metadata) {
		_, err := parseMetadata(p.Metadata)
		faults.check("metadata", err)
	}
	faults.addUnits(p.Units)
	return faults.Err()
}

// apply returns the row as the patch, which is valid, leaves it.
func (p Patch) apply(row deviceRow) (deviceRow, error) {
	if p.Name != nil {
		row.Name = *p.Name
	}
	if p.Tags != nil {
		row.Tags = tagSet(*p.Tags)
	}
	if p.RetentionDays != nil {
		row.RetentionDays = specific(p.RetentionDays)
	}
	if p.Metadata == nil {
		return row, nil
	}
	if isNull(p.Metadata) {
		row.Metadata = json.RawMessage(`{}`)
		return row, nil
	}
	metadata, err := mergeMetadata(row.Metadata, p.Metadata)
	if err != nil {
		return row, fault.InvalidField("metadata", "merged with what is stored, it %v", err)
	}
	row.Metadata = metadata
	return row, nil
}

func mergeMetadata(stored, patch json.RawMessage) (json.RawMessage, error) {
	target, err := parseMetadata(stored)
	if err != nil {
		return nil, err
	}
	changes, err := parseMetadata(patch)
	if err != nil {
		return nil, err
	}
	return formatMetadata(mergePatch(target, changes))
}

// specific returns the days as the devices table has them: nil for the general setting.
func specific(days *int) *int {
	if days == nil || *days == series.GeneralRetention {
		return nil
	}
	return days
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// tagSet returns the tags sorted, each once, and never nil.
func tagSet(tags []string) []string {
	sorted := append([]string{}, tags...)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// faults collects the reasons why a request is invalid.
type faults struct{ fault.Fields }

// check notes the reason unless it is nil.
func (f *faults) check(field string, reason error) {
	if reason != nil {
		f.Add(field, "%v", reason)
	}
}

func (f *faults) addTags(tags []string) {
	if len(tagSet(tags)) > maxTags {
		f.Add("tags", "must be at most %d", maxTags)
		return
	}
	for i, tag := range tags {
		f.check(fmt.Sprintf("tags[%d]", i), ValidateTag(tag))
	}
}

func (f *faults) addUnits(units map[string]string) {
	if len(units) > maxUnits {
		f.Add("units", "must be at most %d in one request", maxUnits)
		return
	}
	for _, metric := range slices.Sorted(maps.Keys(units)) {
		field := "units." + metric
		if err := ValidateMetric(metric); err != nil {
			f.Add(field, "the name of a metric %v", err)
		}
		f.check(field, validateUnit(units[metric]))
	}
}

func notFound(id string) error { return fault.New(fault.NotFound, "there is no device %q", id) }

func forbidden(id string) error {
	return fault.New(fault.Forbidden, "your credentials do not cover the device %q", id)
}
