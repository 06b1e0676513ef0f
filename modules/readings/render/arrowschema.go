package render

import flatbuffers "github.com/google/flatbuffers/go"

// Numbers of the Arrow format: format/Schema.fbs and format/Message.fbs of apache/arrow. The slots of a table are numbered
// in the order of its fields there.
const (
	metadataV5 = 4

	headerSchema          = 1
	headerDictionaryBatch = 2
	headerRecordBatch     = 3

	typeInt           = 2
	typeFloatingPoint = 3
	typeUtf8          = 5
	typeTimestamp     = 10

	precisionDouble = 2
	unitMillisecond = 1

	deviceDictionary = 0
	metricDictionary = 1
)

// schema makes the metadata of the columns.
func (w *ArrowWriter) schema() func(*flatbuffers.Builder) flatbuffers.UOffsetT {
	return func(f *flatbuffers.Builder) flatbuffers.UOffsetT {
		fields := []flatbuffers.UOffsetT{
			dictionaryField(f, "device", deviceDictionary),
			dictionaryField(f, "metric", metricDictionary),
			timestampField(f, "ts"),
		}
		for _, name := range w.columns {
			fields = append(fields, floatField(f, name))
		}
		list := offsets(f, fields)
		f.StartObject(4) // Schema: endianness (little is 0), fields, …
		f.PrependUOffsetTSlot(1, list, 0)
		return f.EndObject()
	}
}

func dictionaryField(f *flatbuffers.Builder, name string, id int64) flatbuffers.UOffsetT {
	f.StartObject(2) // Int: bitWidth, is_signed
	f.PrependInt32Slot(0, 32, 0)
	f.PrependBoolSlot(1, true, false)
	index := f.EndObject()
	f.StartObject(4) // DictionaryEncoding: id, indexType, …
	f.PrependInt64Slot(0, id, 0)
	f.PrependUOffsetTSlot(1, index, 0)
	encoding := f.EndObject()
	f.StartObject(0) // Utf8
	return field(f, name, typeUtf8, f.EndObject(), encoding, false)
}

func timestampField(f *flatbuffers.Builder, name string) flatbuffers.UOffsetT {
	zone := f.CreateString("UTC")
	f.StartObject(2) // Timestamp: unit, timezone
	f.PrependInt16Slot(0, unitMillisecond, 0)
	f.PrependUOffsetTSlot(1, zone, 0)
	return field(f, name, typeTimestamp, f.EndObject(), 0, false)
}

func floatField(f *flatbuffers.Builder, name string) flatbuffers.UOffsetT {
	f.StartObject(1) // FloatingPoint: precision
	f.PrependInt16Slot(0, precisionDouble, 0)
	return field(f, name, typeFloatingPoint, f.EndObject(), 0, true)
}

// field makes a Field: name, nullable, type_type, type, dictionary, children, …
func field(f *flatbuffers.Builder, name string, kind byte, of, dictionary flatbuffers.UOffsetT, nullable bool) flatbuffers.UOffsetT {
	label := f.CreateString(name)
	children := offsets(f, nil)
	f.StartObject(7)
	f.PrependUOffsetTSlot(0, label, 0)
	f.PrependBoolSlot(1, nullable, false)
	f.PrependByteSlot(2, kind, 0)
	f.PrependUOffsetTSlot(3, of, 0)
	f.PrependUOffsetTSlot(4, dictionary, 0)
	f.PrependUOffsetTSlot(5, children, 0)
	return f.EndObject()
}

// offsets makes a vector of tables.
func offsets(f *flatbuffers.Builder, list []flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	f.StartVector(4, len(list), 4)
	for i := len(list) - 1; i >= 0; i-- {
		f.PrependUOffsetT(list[i])
	}
	return f.EndVector(len(list))
}

// recordBatch makes the metadata of a RecordBatch: length, nodes, buffers, …
func (b *body) recordBatch(f *flatbuffers.Builder, rows int) flatbuffers.UOffsetT {
	nodes, buffers := pairs(f, b.nodes), pairs(f, b.buffers)
	f.StartObject(5)
	f.PrependInt64Slot(0, int64(rows), 0)
	f.PrependUOffsetTSlot(1, nodes, 0)
	f.PrependUOffsetTSlot(2, buffers, 0)
	return f.EndObject()
}

// pairs makes a vector of structs of two 64-bit integers.
func pairs(f *flatbuffers.Builder, list [][2]int64) flatbuffers.UOffsetT {
	f.StartVector(16, len(list), 8)
	for i := len(list) - 1; i >= 0; i-- {
		f.Prep(8, 16)
		f.PrependInt64(list[i][1])
		f.PrependInt64(list[i][0])
	}
	return f.EndVector(len(list))
}
