/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hello is read in three layers, each with a count of its remaining bytes: the record, the hello
 * in it, and the extensions in the hello. A field is a number of up to four bytes, which may be cut
 * anywhere, or bytes to be skipped. take_number() handles each number, and chooses the next field.
 */
#include "dpi/hello.h"

#include <string.h>

#include "appliance/wire/tls.h"

#define RECORD_MAX (16384u + 2048u) /* RFC 5246, 6.2.3: what a peer may send at most */
#define RECORD_HEAD 5u
#define RECORD_HANDSHAKE 22u
#define RECORD_ALERT 21u
#define EXTENSION_NAME 0u
#define EXTENSION_VERSIONS 43u

enum field {
#define FIELD(id, ...) id,
#include "dpi/hello.def"
	FIELDS
};

/* How many bytes the number of each field has, by direction. */
static const uint8_t width[FIELDS][2] = {
#define FIELD(id, client, server) [id] = { client, server },
#include "dpi/hello.def"
};

/* Subtracts `n` bytes from the count of every layer that contains them. False when a layer
 * has fewer. */
static bool take_off(struct hello_side *s, uint32_t n)
{
	bool extension = s->step >= AT_VERSIONS, extensions = s->step >= AT_EXTENSION;

	if (!s->inside)
		return true;
	if (n > s->message || (extensions && n > s->extensions) || (extension && n > s->extension))
		return false;
	s->message -= n;
	s->extensions -= extensions ? n : 0;
	s->extension -= extension ? n : 0;
	return true;
}

/* Goes on to the next extension; if there is none, the hello is complete. */
static bool next_extension(struct hello_side *s)
{
	s->step = AT_EXTENSION;
	if (s->extensions == 0)
		s->state = s->message == 0 ? HELLO_READ : HELLO_BAD;
	return true;
}

/* Skips the rest of this extension. */
static bool leave_extension(struct hello_side *s)
{
	s->skip = s->extension;
	if (s->skip == 0)
		return next_extension(s);
	return true;
}

/* Notes a version that the client takes. GREASE (RFC 8701) and drafts are no versions. */
static void offer(struct hello *h, uint32_t version)
{
	if (version >= 0x0300 && version <= 0x0304 && version > h->offered)
		h->offered = (uint16_t)version;
}

static bool begin_extension(struct hello *h, struct hello_side *s, enum direction dir, uint32_t length)
{
	if (length > s->extensions)
		return false;
	s->extension = length;
	if (dir == DIR_C2S && s->kind == EXTENSION_NAME) {
		if (h->asked)
			return false;
		h->asked = true;
	}
	if (s->kind == EXTENSION_VERSIONS) {
		/* the list of versions replaces the field before it */
		h->offered = dir == DIR_C2S ? 0 : h->offered;
		s->step = dir == DIR_C2S ? AT_VERSIONS : AT_ONE_VERSION;
		return true;
	}
	s->step = dir == DIR_C2S && s->kind == EXTENSION_NAME && length > 0 ? AT_NAMES : AT_VERSIONS;
	return s->step == AT_NAMES ? true : leave_extension(s);
}

static bool is_of_a_name(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
	       c == '_';
}

static bool forget_name(struct hello *h, struct hello_side *s)
{
	memset(h->name, 0, sizeof(h->name));
	h->name_len = 0;
	s->number = 0;
	return leave_extension(s);
}

/* Takes one byte of the name. A name that is invalid, too long, or not the only one is not kept. */
static bool take_name(struct hello *h, struct hello_side *s, uint32_t c)
{
	if (!is_of_a_name(c) || h->name_len >= HELLO_NAME - 1)
		return forget_name(h, s);
	h->name[h->name_len++] = (char)c;
	if (--s->number > 0)
		return true;
	return s->extension > 0 ? forget_name(h, s) : leave_extension(s);
}

/* Handles a complete number. False: a hello cannot have this number at
 * this place. */
static bool take_number(struct hello *h, enum direction dir, uint32_t n)
{
	struct hello_side *s = &h->side[dir];

	switch ((enum field)s->step) {
	case AT_TYPE:
		s->step = AT_LENGTH;
		return n == (dir == DIR_C2S ? 1u : 2u);
	case AT_LENGTH:
		s->message = n;
		s->inside = true;
		s->step = AT_VERSION;
		return true;
	case AT_VERSION:
		if (dir == DIR_C2S)
			/* higher versions are in the extension (RFC 8446, 4.1.2) */
			offer(h, n > 0x0303 ? 0x0303 : n);
		else
			h->version = (uint16_t)n;
		s->step = AT_RANDOM;
		s->skip = 32;
		return n >> 8 == 3;
	case AT_RANDOM:
		return false; /* the random bytes are not read as a number */
	case AT_SESSION:
		s->step = AT_SUITES;
		s->skip = n;
		return n <= 32;
	case AT_SUITES:
		s->step = AT_COMPRESSION;
		if (dir == DIR_C2S)
			s->skip = n;
		else
			h->suite = (uint16_t)n;
		return dir == DIR_S2C || (n > 0 && n % 2 == 0);
	case AT_COMPRESSION:
		s->step = AT_EXTENSIONS;
		s->skip = dir == DIR_C2S ? n : 0;
		if (dir == DIR_S2C && s->message == 0) /* without extensions: TLS 1.2 and before */
			s->state = HELLO_READ;
		return dir == DIR_S2C || n > 0;
	case AT_EXTENSIONS:
		s->extensions = n;
		return n == s->message ? next_extension(s) : false;
	case AT_EXTENSION:
		s->kind = (uint16_t)n;
		s->step = AT_EXTENSION_LENGTH;
		return true;
	case AT_EXTENSION_LENGTH:
		return begin_extension(h, s, dir, n);
	case AT_VERSIONS:
		s->step = AT_ONE_VERSION;
		return n >= 2 && n % 2 == 0 && n == s->extension;
	case AT_ONE_VERSION:
		/*
		 * A server that chooses TLS 1.3 has 1.2 in its version field (RFC 8446, 4.1.3). If
		 * the field is lower, the lower of field and extension counts, because older
		 * clients read only the field.
		 */
		if (dir == DIR_C2S)
			offer(h, n);
		else if (h->version >= TLS_1_2 || n < h->version)
			h->version = (uint16_t)n;
		return s->extension == 0 ? next_extension(s) : dir == DIR_C2S;
	case AT_NAMES:
		s->step = AT_NAME_TYPE;
		return n > 0 && n == s->extension;
	case AT_NAME_TYPE:
		if (n != 0) /* only this kind of name exists */
			return leave_extension(s);
		s->step = AT_NAME_LENGTH;
		return true;
	case AT_NAME_LENGTH:
		s->step = AT_NAME;
		s->number = n;
		return n > 0 && n <= s->extension;
	case AT_NAME:
		return take_name(h, s, n);
	case FIELDS:
		break;
	}
	return false;
}

/* Skips bytes, as many as there are. */
static bool pass_over(struct hello_side *s, struct bytes *b)
{
	uint32_t n = s->skip < b->left ? s->skip : (uint32_t)b->left;

	if (!take_off(s, n) || !bytes_skip(b, n))
		return false;
	s->skip -= n;
	if (s->skip > 0)
		return true;
	if (s->step == AT_RANDOM)
		s->step = AT_SESSION;
	else if (s->step >= AT_VERSIONS)
		return next_extension(s);
	else if (s->step == AT_EXTENSIONS && s->message == 0)
		s->state = HELLO_READ;
	return true;
}

/* Takes one byte of a number. The name uses the same counter, but takes each byte separately. */
static bool take_byte(struct hello *h, enum direction dir, uint8_t byte)
{
	struct hello_side *s = &h->side[dir];
	uint32_t n;

	if (!take_off(s, 1))
		return false;
	if (s->step == AT_NAME)
		return take_number(h, dir, byte);
	s->number = s->number << 8 | byte;
	if (++s->got < width[s->step][dir])
		return true;
	n = s->number;
	s->number = 0;
	s->got = 0;
	return take_number(h, dir, n);
}

/* Reads the part of the hello in one record. A further message in the record is not read. */
static bool read_message(struct hello *h, enum direction dir, struct bytes b)
{
	struct hello_side *s = &h->side[dir];
	uint8_t byte;

	while (b.left > 0 && s->state == HELLO_GOES_ON)
		if (!(s->skip > 0 ? pass_over(s, &b) : bytes_u8(&b, &byte) && take_byte(h, dir, byte)))
			return false;
	return true;
}

/* Takes a byte of a record's header. False: the record is not part of a handshake. */
static bool read_head(struct hello_side *s, enum direction dir, uint8_t byte)
{
	struct bytes b = bytes_of(s->head, RECORD_HEAD);
	uint16_t version, length;
	uint8_t type;

	s->head[s->heads++] = byte;
	if (s->heads < RECORD_HEAD)
		return true;
	s->heads = 0;
	bytes_u8(&b, &type);
	bytes_be16(&b, &version);
	bytes_be16(&b, &length);
	s->record = length;
	s->alert = type == RECORD_ALERT && dir == DIR_S2C && !s->begun;
	return (type == RECORD_HANDSHAKE || s->alert) && version >> 8 == 3 && length > 0 && length <= RECORD_MAX;
}

/* Reads the part of a record that has come. Of an alert, the first byte is enough: after a warning,
 * the hello may still come; any other alert means that the server declines. */
static bool read_record(struct hello *h, enum direction dir, struct bytes b)
{
	struct hello_side *s = &h->side[dir];
	uint8_t level;

	if (!s->alert) {
		s->begun = true;
		return read_message(h, dir, b);
	}
	if (!s->warned && bytes_u8(&b, &level) && level != 1)
		s->state = HELLO_ALERT;
	s->warned = s->record > 0;
	return true;
}

static bool read_some(struct hello *h, enum direction dir, struct bytes *b)
{
	struct hello_side *s = &h->side[dir];
	struct bytes part;
	uint32_t n;
	uint8_t byte;

	if (s->record == 0)
		return bytes_u8(b, &byte) && read_head(s, dir, byte);
	n = s->record < b->left ? s->record : (uint32_t)b->left;
	s->record -= n;
	return bytes_take(b, n, &part) && read_record(h, dir, part);
}

enum hello_state hello_take(struct hello *h, enum direction dir, struct bytes b)
{
	struct hello_side *s = &h->side[dir];
	size_t all = b.left;

	while (b.left > 0 && s->state == HELLO_GOES_ON)
		if (!read_some(h, dir, &b))
			s->state = HELLO_BAD;
	if (s->state == HELLO_GOES_ON && all > HELLO_BYTES_MAX - s->bytes)
		s->state = HELLO_BAD;
	if (s->state == HELLO_GOES_ON)
		s->bytes += (uint32_t)all;
	return (enum hello_state)s->state;
}
