/*
 * sniff.c: tells the formats of XGBoost's files apart by their first bytes, and
 * says what other files look like: people register what is at hand.
 */
#include "core/load/sniff.h"

#include <string.h>

typedef struct Signature
{
	const char *bytes;
	size_t		length;
	const char *what;
	const char *hint;
} Signature;

#define SAVE_HINT "Save it in Python with booster.save_model('model.ubj') and register that file."
#define CATBOOST_HINT "CatBoost's models are not read: their features of categories and texts are " \
	"computed in ways that its files do not tell in full."
#define UNPACK_HINT "Unpack it first."
#define TRAIN_HINT "Models of XGBoost, LightGBM and scikit-learn can be registered."

#define SIGNATURE(text, what, hint) {text, sizeof(text) - 1, what, hint}

static const Signature signatures[] = {
	SIGNATURE("\x1f\x8b", "gzip-compressed data", UNPACK_HINT),
	SIGNATURE("PK\x03\x04", "a zip archive", UNPACK_HINT),
	SIGNATURE("BZh", "bzip2-compressed data", UNPACK_HINT),
	SIGNATURE("\xfd" "7zXZ", "xz-compressed data", UNPACK_HINT),
	SIGNATURE("\x28\xb5\x2f\xfd", "zstd-compressed data", UNPACK_HINT),
	SIGNATURE("\x04\x22\x4d\x18", "lz4-compressed data", UNPACK_HINT),
	SIGNATURE("\x80\x02", "a Python pickle", SAVE_HINT),
	SIGNATURE("\x80\x03", "a Python pickle", SAVE_HINT),
	SIGNATURE("\x80\x04", "a Python pickle", SAVE_HINT),
	SIGNATURE("\x80\x05", "a Python pickle", SAVE_HINT),
	SIGNATURE("\x93NUMPY", "a NumPy array", TRAIN_HINT),
	SIGNATURE("RDX", "an R workspace", "Save it in R with xgb.save(booster, 'model.ubj')."),
	SIGNATURE("X\n\0\0", "an R object (RDS)", "Save it in R with xgb.save(booster, 'model.ubj')."),
	SIGNATURE("CBM1", "a CatBoost model", CATBOOST_HINT),
	SIGNATURE("\x89HDF\r\n", "an HDF5 file", TRAIN_HINT),
	SIGNATURE("PAR1", "a Parquet file", TRAIN_HINT),
	SIGNATURE("<?xml", "XML, perhaps PMML", SAVE_HINT),
	SIGNATURE("<PMML", "PMML", SAVE_HINT),
	SIGNATURE("<!DOCTYPE", "an HTML page", "Perhaps a download failed."),
	SIGNATURE("<html", "an HTML page", "Perhaps a download failed."),
	SIGNATURE("version https://git-lfs", "a Git LFS pointer", "Run git lfs pull."),
	SIGNATURE("booster[0]", "a text dump of an XGBoost model", SAVE_HINT),
	SIGNATURE("\\x", "the text form of a bytea", "Decode it first: pass it as bytea, not as text."),
	SIGNATURE("bs64", "an XGBoost model in base64, as before 0.4", SAVE_HINT),
	SIGNATURE("eyJ", "base64 text", "Decode it first: decode(..., 'base64')."),
	SIGNATURE("e0w", "base64 text", "Decode it first: decode(..., 'base64')."),
	SIGNATURE("7b", "hexadecimal text", "Decode it first: decode(..., 'hex')."),
	SIGNATURE("\xef\xbb\xbf", "text with a byte order mark", "Remove its first three bytes."),
	SIGNATURE("\x7f" "ELF", "a program or library", TRAIN_HINT),
};

static bool
fail_as(MpError *error, const char *what, const char *hint)
{
	mp_fail(error, MP_ERROR_NOT_A_MODEL, "this is no model: it looks like %s", what);
	error->offset = 0;
	mp_error_hint(error, "%s", hint);
	return false;
}

static bool
starts_with(const char *data, size_t size, const char *bytes, size_t length)
{
	return size >= length && memcmp(data, bytes, length) == 0;
}

static size_t
pass_space(const char *data, size_t size, size_t pos)
{
	while (pos < size && (data[pos] == ' ' || data[pos] == '\n' || data[pos] == '\t' ||
						  data[pos] == '\r'))
		pos++;
	return pos;
}

/*
 * The old format has no mark of its own before 0.90: 136 bytes of parameters,
 * then the objective's name behind its length.
 */
static bool
looks_like_old_binary(const char *data, size_t size)
{
	const size_t header = 136;
	uint64_t	length = 0;

	if (size < header + 8)
		return false;
	for (int i = 7; i >= 0; i--)
		length = length << 8 | (unsigned char) data[header + i];
	if (length < 1 || length > 64 || length > size - header - 8)
		return false;
	for (uint64_t i = 0; i < length; i++)
	{
		char		c = data[header + 8 + i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':' || c == '_'))
			return false;
	}
	return true;
}

/* ONNX is a protocol buffer: field 1, a small version, then most often field 2, the producer. */
static bool
looks_like_onnx(const char *data, size_t size)
{
	return size > 4 && data[0] == 0x08 && data[1] > 0 && data[1] < 32 &&
		(data[2] == 0x12 || data[2] == 0x3a || data[2] == 0x42);
}

static bool
looks_like_text(const char *data, size_t size)
{
	size_t		n = size < 512 ? size : 512;

	for (size_t i = 0; i < n; i++)
	{
		unsigned char c = (unsigned char) data[i];

		if (c == 0x7f || (c < 0x20 && c != '\n' && c != '\r' && c != '\t'))
			return false;
	}
	return true;
}

/* The name of a model's file: a word without blanks that ends as such names do. */
static bool
looks_like_path(const char *data, size_t size)
{
	static const char *const ends[] = {
		".json", ".ubj", ".model", ".bin", ".xgb", ".pkl", ".pickle", ".joblib", ".txt", ".raw", ".bst"
	};

	if (size > 1024)
		return false;
	for (size_t i = 0; i < size; i++)
		if ((unsigned char) data[i] < 0x20)
			return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
	{
		size_t		length = strlen(ends[i]);

		if (size > length && memcmp(data + size - length, ends[i], length) == 0)
			return true;
	}
	return false;
}

static bool
fail_unknown(const char *data, size_t size, MpError *error)
{
	for (size_t i = 0; i < sizeof(signatures) / sizeof(*signatures); i++)
	{
		const Signature *s = &signatures[i];

		if (starts_with(data, size, s->bytes, s->length))
			return fail_as(error, s->what, s->hint);
	}
	if (looks_like_path(data, size))
		return fail_as(error, "the name of a file, not its contents",
					   "In psql, \\lo_import the file and pass lo_get(:LASTOID); in Python, pass open(name, 'rb').read().");
	if (size > 262 && memcmp(data + 257, "ustar", 5) == 0)
		return fail_as(error, "a tar archive", UNPACK_HINT);
	if (looks_like_onnx(data, size))
		return fail_as(error, "an ONNX model", SAVE_HINT);
	if (data[0] == '[')
		return fail_as(error, "a JSON array, perhaps a dump of trees", SAVE_HINT);
	if (looks_like_text(data, size))
		return fail_as(error, "text", SAVE_HINT);
	return fail_as(error, "no format that is known", SAVE_HINT);
}

/* The document of scikit-learn's trees begins with the name of the library. */
MpLibrary
mp_sniff_library(const void *bytes, size_t size, MpFormat format)
{
	static const char key[] = "\"library\"";
	const char *data = bytes;
	size_t		pos;

	if (format == MP_FORMAT_TEXT)
		return MP_LIBRARY_LIGHTGBM;
	if (format != MP_FORMAT_JSON)
		return MP_LIBRARY_XGBOOST;
	pos = pass_space(data, size, 0);
	pos = pass_space(data, size, pos + 1);
	if (pos < size && starts_with(data + pos, size - pos, key, sizeof(key) - 1))
		return MP_LIBRARY_SKLEARN;
	return MP_LIBRARY_XGBOOST;
}

bool
mp_sniff(const void *bytes, size_t size, MpFormat *format, MpError *error)
{
	const char *data = bytes;
	size_t		start = pass_space(data, size, 0);
	size_t		next;

	if (size == 0)
	{
		mp_fail(error, MP_ERROR_NOT_A_MODEL, "this is no model: it is empty");
		error->offset = 0;
		return false;
	}
	if (start < size && data[start] == '{')
	{
		next = pass_space(data, size, start + 1);
		*format = start > 0 || next >= size || data[next] == '"' || data[next] == '}' ?
			MP_FORMAT_JSON : MP_FORMAT_UBJSON;
		return true;
	}
	if (starts_with(data, size, "tree\n", 5) || starts_with(data, size, "tree\r\n", 6))
	{
		*format = MP_FORMAT_TEXT;
		return true;
	}
	if (starts_with(data, size, "binf", 4) || starts_with(data, size, "CONFIG-offset:", 14) ||
		looks_like_old_binary(data, size))
	{
		*format = MP_FORMAT_BINARY;
		return true;
	}
	return fail_unknown(data, size, error);
}
