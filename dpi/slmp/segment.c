/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles servers that are out of step. Public servers go by the length in the header, but not all
 * of them wait for a whole header or a whole frame. melsec_mc_mock takes the first ten bytes of a
 * 3E frame for a frame of ten bytes without subheader; many small servers take the result of one
 * recv for one frame. So a client could choose the cuts of its frames and the written values in a
 * way that these servers read a command where there is none.
 *
 * Therefore, from the first segment that begins inside a frame, or that a server may read in two
 * parts, the client's bytes are searched for commands at every position, in both codings, whatever
 * bytes precede the length field; each command must be allowed.
 *
 * Some servers accept frames of other forms as well. Such frames may be hidden in a session, so
 * they are searched for by their subheaders. The subheader of 1E is only one byte, so a 1E frame
 * must also name a device. A 1E frame without a device is searched for only where a segment begins.
 *
 * Servers differ in what they accept as an ASCII digit: most accept lower case as well, and
 * libslmp2 reads any other character as 0.
 *
 * A server that takes the result of one recv for one frame does not wait for the rest, and may need
 * less data than the manual says. So an incomplete frame is judged as soon as its command is there.
 */
#include <string.h>

#include "appliance/wire/vocabulary.h"
#include "dpi/slmp/slmp.h"
#include "dpi/slmp/words.h"

/* ---- frames of other forms ------------------------------------------------------------------- */

/*
 * Frames of forms that this enforcer does not accept: 1E, and those that read and write the
 * buffers of an Ethernet module (subheaders 60 to 62). Many servers accept 1E besides 3E. Such a
 * frame is only recognised here. What it would do is reported as a command of 3E.
 *
 *   1E      subheader, PC number, monitoring timer, and a device: in binary its number (4 bytes),
 *           then its code (2); in ASCII its code, then its number
 *   buffer  subheader, 00, numbers
 */

/* bytes, or pairs of digits, that are needed to recognise a frame that names a device */
#define OTHER_MIN 12u
#define SHORT_MIN 4u /* bytes of the shortest frame */
#define PC_OWN 0xffu /* the station itself */

/* Where a device's number is, in bytes of the frame. */
enum { NAMES_NONE = 0, NAMED_FIRST = 4, NAMED_COUNTED = 6 };

/* Subheaders with the command and subcommand that have the same effect. A subheader without one is
 * reported by its own number. */
static const struct {
	uint8_t subheader, device;
	uint32_t service;
} others[] = {
	{ 0x00, NAMED_FIRST, (uint32_t)SLMP_BATCH_READ << 16 | 1 },
	{ 0x01, NAMED_FIRST, (uint32_t)SLMP_BATCH_READ << 16 },
	{ 0x02, NAMED_FIRST, (uint32_t)SLMP_BATCH_WRITE << 16 | 1 },
	{ 0x03, NAMED_FIRST, (uint32_t)SLMP_BATCH_WRITE << 16 },
	{ 0x04, NAMED_COUNTED, (uint32_t)SLMP_RANDOM_WRITE << 16 | 1 },
	{ 0x05, NAMED_COUNTED, (uint32_t)SLMP_RANDOM_WRITE << 16 },
	{ 0x06, NAMED_COUNTED, (uint32_t)SLMP_MONITOR_REGISTER << 16 | 1 },
	{ 0x07, NAMED_COUNTED, (uint32_t)SLMP_MONITOR_REGISTER << 16 },
	{ 0x08, NAMES_NONE, (uint32_t)SLMP_MONITOR << 16 },
	{ 0x09, NAMES_NONE, (uint32_t)SLMP_MONITOR << 16 },
	{ 0x0e, NAMES_NONE, (uint32_t)SLMP_MODULE_READ << 16 },
	{ 0x0f, NAMES_NONE, (uint32_t)SLMP_MODULE_WRITE << 16 },
	{ 0x13, NAMES_NONE, (uint32_t)SLMP_RUN << 16 },
	{ 0x14, NAMES_NONE, (uint32_t)SLMP_STOP << 16 },
	{ 0x15, NAMES_NONE, (uint32_t)SLMP_TYPE_NAME << 16 },
	{ 0x16, NAMES_NONE, (uint32_t)SLMP_SELF_TEST << 16 },
	/* five for extended file registers: read, write, write at random */
	{ 0x17, NAMES_NONE, 0x17u << 16 },
	{ 0x18, NAMES_NONE, 0x18u << 16 },
	{ 0x19, NAMES_NONE, 0x19u << 16 },
	{ 0x3b, NAMES_NONE, 0x3bu << 16 }, /* read directly */
	{ 0x3c, NAMES_NONE, 0x3cu << 16 }, /* write directly */
	{ 0x60, NAMES_NONE, 0x60u << 16 }, /* a fixed buffer */
	{ 0x61, NAMES_NONE, 0x61u << 16 }, /* a buffer with random access: read */
	{ 0x62, NAMES_NONE, 0x62u << 16 }, /* a buffer with random access: write */
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

static bool is_buffer(uint8_t subheader)
{
	return subheader >= 0x60;
}

static int hex_pair(const uint8_t *p)
{
	int high = slmp_digit(p[0]), low = slmp_digit(p[1]);

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Whether these are a letter and a letter or a blank. */
static bool is_code(int letter, int second)
{
	return letter >= 'A' && letter <= 'Z' && (second == ' ' || second == 'N' || second == 'S' || second == 'C');
}

/* Whether a frame of another form that names a device begins at `p`, where `left` bytes are.
 * *ret_service: the 3E command with the same effect. Device numbers are limited to 16 bits, because
 * otherwise any text of digits would contain such a frame. */
static bool other_names(const uint8_t *p, size_t left, bool ascii, uint32_t *ret_service)
{
	int subheader = left < OTHER_MIN * (ascii ? 2u : 1u) ? -1 : ascii ? hex_pair(p) : p[0];
	size_t at;

	if (subheader < 0 || subheader > 7)
		return false;
	at = others[subheader].device;
	*ret_service = others[subheader].service;
	if (ascii)
		return is_code(hex_pair(p + 2 * at), hex_pair(p + 2 * at + 2)) && hex_pair(p + 2 * at + 4) == 0 &&
		       hex_pair(p + 2 * at + 6) == 0;
	return p[at + 2] == 0 && p[at + 3] == 0 && is_code(p[at + 5], p[at + 4]);
}

/* Whether `b` may begin with any frame of another form, even one that looks much like other bytes.
 * For a position where a receiver begins to read. */
static bool other_begins(struct bytes b, uint32_t *ret_service)
{
	for (unsigned ascii = 0; ascii < 2; ascii++) {
		int subheader, second;

		if (other_names(b.p, b.left, ascii != 0, ret_service))
			return true;
		if (b.left < SHORT_MIN << ascii)
			continue;
		subheader = ascii != 0 ? hex_pair(b.p) : b.p[0];
		second = ascii != 0 ? hex_pair(b.p + 2) : b.p[1];
		for (size_t i = 0; i < OTHERS; i++)
			if (others[i].subheader == subheader && others[i].device == NAMES_NONE &&
			    second == (is_buffer(others[i].subheader) ? 0 : (int)PC_OWN)) {
				*ret_service = others[i].service;
				return true;
			}
	}
	return false;
}

/* ---- commands where none begins -------------------------------------------------------------- */

#define READ_MAX 1024u /* the smallest number of bytes that a server reads at once */
/* room for the operations of a command at a position where the client wrote none; a command with
 * more operations counts as touching any address */
#define FEW 8u

/* Bytes before a command: route, length, monitoring timer. */
#define ROUTE 5u
#define BEFORE 4u

struct found {
	uint32_t service;
	uint32_t targets[SLMP_TARGETS];
	struct operation room[FEW];
	uint32_t n;
};

/* What servers accept as an ASCII digit. */
enum digits {
	ANY_CASE, /* 0-9, A-F and a-f; nothing else is one */
	OR_ZERO,  /* 0-9 and A-F; anything else is a 0 */
};

static int digit_as(uint8_t c, enum digits digits)
{
	int own = slmp_digit(c);

	if (own >= 0 || digits == OR_ZERO)
		return own >= 0 ? own : 0;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool any_is_odd(const uint8_t *p, size_t n)
{
	while (n > 0 && slmp_digit(p[n - 1]) >= 0)
		n--;
	return n > 0;
}

/* Like slmp_number, but `digits` says what counts as an ASCII digit. */
static uint32_t read_number(struct slmp_reader *r, unsigned n, enum digits digits)
{
	struct bytes b = r->b;
	uint32_t v = 0;

	if (!r->ascii || !bytes_skip(&r->b, (size_t)n * 2u)) {
		slmp_number(r, n, &v);
		return v;
	}
	for (unsigned i = 0; i < 2u * n; i++) {
		int digit = digit_as(b.p[i], digits);

		r->b.failed |= digit < 0;
		v = v << 4 | (uint32_t)(digit < 0 ? 0 : digit);
	}
	return v;
}

/* Reads the route at the beginning of `r`. Characters that are no digits count as 0 in it. */
static void route_of(struct slmp_reader *r, enum digits digits, uint32_t ret[SLMP_TARGETS])
{
	static const uint8_t widths[SLMP_TARGETS] = { 1, 1, 2, 1 };

	for (unsigned i = 0; i < SLMP_TARGETS; i++) {
		ret[i] = read_number(r, widths[i], digits);
		r->b.failed = false;
	}
}

/* Finds a command whose first byte is at `at`, if there may be one. */
static bool finds(struct bytes b, size_t at, bool ascii, enum digits digits, struct found *ret)
{
	unsigned width = ascii ? 2 : 1;
	struct slmp_reader r = { .b = b, .ascii = ascii }, route = r;
	struct slmp_request q = { .operations = ret->room, .max = FEW };
	uint32_t length, command, sub;

	if (at < (size_t)BEFORE * width || b.left - at < 4u * width)
		return false;
	bytes_skip(&r.b, at - (size_t)BEFORE * width);
	length = read_number(&r, 2, digits);
	bytes_skip(&r.b, 2u * width); /* the monitoring timer may be anything */
	command = read_number(&r, 2, digits);
	sub = read_number(&r, 2, digits);
	if (r.b.failed || length < 6u * width || length > SLMP_LENGTH_MAX ||
	    function_by_code(vocabulary_of(PROTO_SLMP), command << 16 | sub) == NULL)
		return false;
	ret->service = command << 16 | sub;
	for (unsigned i = 0; i < SLMP_TARGETS; i++)
		ret->targets[i] = 0;
	if (at >= (size_t)(BEFORE + ROUTE) * width) {
		bytes_skip(&route.b, at - (size_t)(BEFORE + ROUTE) * width);
		route_of(&route, digits, ret->targets);
	}
	length -= 6u * width;
	if (r.b.left >= length)
		r.b.left = length;
	/* the rest has not come yet, so its contents are not known */
	else
		r.b = (struct bytes){ .failed = true };
	slmp_request_parse(ret->service, ret->targets, r, &q);
	if (!q.well_formed)
		slmp_request_forget_place(&q);
	ret->n = q.n;
	return true;
}

/*
 * Forms of frames that this enforcer does not accept, and the position of their command: extended
 * MT, its push and answer, and request and answer of CC-Link IE TSN. libslmp2 accepts these forms
 * wherever it reads a frame, executes the command, and discards the rest of what one recv returned.
 * Length and data are at other positions than in 3E and 4E. (Answers of 3E and 4E are not listed,
 * because they have no command.)
 */
static const struct {
	uint8_t subheader, command;
	bool in_ascii;
} foreign[] = { { 0x5d, 20, true }, { 0x9d, 20, true }, { 0xdd, 20, true }, { 0x68, 18, false }, { 0xe8, 18, false } };

#define OWN_MIN 30u /* characters of a 3E frame up to the subcommand */
#define FOREIGN_ROUTE 6u
#define FOREIGN_MIN 22u /* bytes of a frame of these forms, up to the subcommand */

/* Finds a frame of one of these forms at `at`, if its command is there. Its addresses are not
 * known. */
static bool finds_foreign(struct bytes b, size_t at, bool ascii, struct found *ret)
{
	unsigned width = ascii ? 2 : 1;
	struct slmp_reader first = { .b = b, .ascii = ascii }, route, r;
	struct slmp_request q = { .operations = ret->room, .max = FEW };
	uint32_t subheader, command, sub;
	unsigned k = 0;

	if (!bytes_skip(&first.b, at) || first.b.left < FOREIGN_MIN * width)
		return false;
	route = r = first;
	if (!slmp_number(&first, 2, &subheader))
		return false;
	while (k < sizeof(foreign) / sizeof(foreign[0]) &&
	       (subheader != (uint32_t)foreign[k].subheader << (ascii ? 8 : 0) || (ascii && !foreign[k].in_ascii)))
		k++;
	if (k == sizeof(foreign) / sizeof(foreign[0]) || !bytes_skip(&r.b, (size_t)foreign[k].command * width))
		return false;
	command = read_number(&r, 2, OR_ZERO);
	sub = read_number(&r, 2, OR_ZERO);
	if (r.b.failed || function_by_code(vocabulary_of(PROTO_SLMP), command << 16 | sub) == NULL)
		return false;
	ret->service = command << 16 | sub;
	bytes_skip(&route.b, FOREIGN_ROUTE * width);
	route_of(&route, OR_ZERO, ret->targets);
	ret->targets[3] = 0; /* most of these forms have the requester's number here */
	slmp_request_parse(ret->service, ret->targets, (struct slmp_reader){ .b = { .failed = true } }, &q);
	slmp_request_forget_place(&q);
	ret->n = q.n;
	return true;
}

/* The request of a frame of another form: its target is the station itself, and its addresses are
 * not read. */
static void take_other(uint32_t service, struct found *ret)
{
	struct slmp_request q = { .operations = ret->room, .max = FEW };

	*ret = (struct found){ .service = service, .targets = { 0, 0xff, 0x3ff, 0 } };
	slmp_request_parse(service, ret->targets, (struct slmp_reader){ .b = { .failed = true } }, &q);
	slmp_request_forget_place(&q);
	ret->n = q.n;
}

/*
 * A quick test whether a command may begin at `p`, because this is tested for every byte of the
 * client; `left` bytes are there from `p` on. Named commands are from 0100 to 21ff, and their
 * subcommands below 100.
 */
static inline bool may_begin(const uint8_t *p, size_t left, bool ascii)
{
	if (ascii)
		return left >= 8 && p[4] == '0' && p[5] == '0' && p[0] <= '2' && (p[0] != '0' || p[1] != '0') &&
		       digit_as(p[0], ANY_CASE) >= 0 && digit_as(p[1], ANY_CASE) >= 0;
	return left >= 4 && p[3] == 0 && p[1] > 0 && p[1] <= 0x21;
}

/* A quick test for the subheaders of the forms in `foreign`. */
static inline bool may_be_foreign(const uint8_t *p, size_t left, bool ascii)
{
	if (ascii)
		return p[0] >= '5' && left >= FOREIGN_MIN * 2u && p[1] == 'D' && p[2] == '0' && p[3] == '0';
	return p[0] >= 0x5d && left >= FOREIGN_MIN && p[1] == 0 &&
	       (p[0] == 0x5d || p[0] == 0x9d || p[0] == 0xdd || p[0] == 0x68 || p[0] == 0xe8);
}

/* A quick test for the subheaders of 3E and 4E in ASCII. */
static inline bool may_be_own(const uint8_t *p, size_t left)
{
	return p[0] == '5' && left >= OWN_MIN && (p[1] == '0' || p[1] == '4') && p[2] == '0' && p[3] == '0';
}

/*
 * For a 3E or 4E frame in ASCII whose subheader is at `at`: the position of the command as libslmp2
 * reads it, if the frame has bytes that this enforcer does not accept as digits. 0: it has only
 * digits, and the normal search finds it.
 */
static size_t oddly_written(struct bytes b, size_t at)
{
	const uint8_t *p = b.p + at;
	size_t head = 2u * slmp_head_length(p[1] == '4' ? SLMP_FORM | SLMP_4E : SLMP_FORM) + 4u;
	size_t route = head - (size_t)(ROUTE + BEFORE) * 2u, n = head + 8u;

	return b.left - at >= n && any_is_odd(p + route, n - route) ? at + head : 0;
}

/* Whether the command of `f` is refused; *ret then has the refusal. Its reason is `reason`; if this
 * is R_ALLOWED, the reason of the ruling. */
static bool found_refused(const struct found *f, enum reason reason, const struct allowance *by, struct pdu *ret)
{
	struct ruling ruling;

	evaluate(by, f->room, f->n, &ruling);
	if (ruling.reason == R_ALLOWED)
		return false;
	pdu_name_ruling(ret, &ruling);
	evaluate_limit(by, f->room, &ruling, &ret->limit);
	pdu_name_operation(ret, f->room, f->n, &ruling);
	ret->reason = reason != R_ALLOWED ? reason : ruling.reason;
	ret->reading = reason == R_SLMP_CUT;
	return true;
}

/* The position of the next command that the client wrote. The search leaves it out, because its
 * frame is judged as a PDU. */
static size_t next_written(uint8_t form, struct bytes *b, size_t *at)
{
	size_t n = 0, command;

	if (b->left == 0 || slmp_frame(form, *b, &n) == FRAME_BAD || b->left < 2)
		return SIZE_MAX;
	command = *at;
	if (b->p[0] == 0x50 || b->p[0] == 0x54)
		command += slmp_head_length(b->p[0] == 0x54 ? SLMP_FORM | SLMP_4E : SLMP_FORM) + 2u;
	else
		command +=
			slmp_head_length(b->p[1] == '4' ? SLMP_FORM | SLMP_ASCII | SLMP_4E : SLMP_FORM | SLMP_ASCII) +
			4u;
	if (n == 0 || !bytes_skip(b, n))
		*b = (struct bytes){ 0 };
	*at += n;
	return command;
}

/* A quick test for a 1E frame, whose subheader is below 8. */
static inline bool may_be_other(const uint8_t *p, size_t left, bool ascii)
{
	uint32_t service;

	return (ascii ? p[0] == '0' : p[0] < 8) && other_names(p, left, ascii, &service);
}

static inline bool may_be_any(const uint8_t *p, size_t left)
{
	return may_begin(p, left, false) || may_be_other(p, left, false) || may_be_other(p, left, true) ||
	       may_begin(p, left, true) || may_be_foreign(p, left, false) || may_be_foreign(p, left, true) ||
	       may_be_own(p, left);
}

/* Whether a refused command begins at `at`. Not counted are the command that the client wrote at
 * `written`, and commands that end before `seam`. */
static bool is_refused_at(struct bytes b, size_t at, size_t written, size_t seam, const struct allowance *by,
			  struct pdu *ret)
{
	const uint8_t *from = b.p + at;
	size_t left = b.left - at, command;
	uint32_t service;
	struct found f;

	for (unsigned ascii = 0; ascii < 2; ascii++)
		if (at + OTHER_MIN * (ascii != 0 ? 2u : 1u) > seam && other_names(from, left, ascii != 0, &service)) {
			take_other(service, &f);
			if (found_refused(&f, R_SLMP_CUT, by, ret))
				return true;
		}
	for (unsigned ascii = 0; ascii < 2; ascii++)
		if (((may_begin(from, left, ascii != 0) && at + (ascii != 0 ? 8u : 4u) > seam &&
		      finds(b, at, ascii != 0, ANY_CASE, &f)) ||
		     (may_be_foreign(from, left, ascii != 0) && finds_foreign(b, at, ascii != 0, &f))) &&
		    found_refused(&f, R_SLMP_CUT, by, ret))
			return true;
	return may_be_own(from, left) && (command = oddly_written(b, at)) > 0 && command != written &&
	       command + 8u > seam && finds(b, command, true, OR_ZERO, &f) && found_refused(&f, R_SLMP_CUT, by, ret);
}

static bool commands_search(uint8_t form, struct bytes b, const struct allowance *by, struct pdu *ret)
{
	struct bytes frames = b;
	size_t frame_at = 0, written = next_written(form, &frames, &frame_at);

	for (size_t at = 0; at < b.left; at++)
		if (at == written)
			written = next_written(form, &frames, &frame_at);
		else if (may_be_any(b.p + at, b.left - at) && is_refused_at(b, at, written, 0, by, ret))
			return false;
	return true;
}

/* Searches the end of the earlier bytes together with the beginning of `b`, because a command may
 * lie across both. */
static bool search_seam(const struct slmp_state *s, struct bytes b, const struct allowance *by, struct pdu *ret)
{
	uint8_t both[2 * SLMP_TAIL];
	size_t n = b.left < SLMP_TAIL ? b.left : SLMP_TAIL;

	memcpy(both, s->tail, s->n_tail);
	memcpy(both + s->n_tail, b.p, n);
	b = bytes_of(both, s->n_tail + n);
	for (size_t at = 0; at < s->n_tail; at++)
		if (may_be_any(b.p + at, b.left - at) && is_refused_at(b, at, SIZE_MAX, s->n_tail, by, ret))
			return false;
	return true;
}

static void keep_tail(struct slmp_state *s, struct bytes b)
{
	s->n_tail = (uint8_t)(b.left < SLMP_TAIL ? b.left : SLMP_TAIL);
	bytes_skip(&b, b.left - s->n_tail);
	memcpy(s->tail, b.p, s->n_tail);
}

/* Leaves out what is not judged yet in a request whose data are incomplete: values that have not
 * come whole, and the last operation if it stands for all operations without room. */
static void as_far_as_known(struct found *f)
{
	if (f->n == FEW)
		f->n--;
	for (uint32_t i = 0; i < f->n; i++) {
		uint8_t form = f->room[i].values.form;

		if (form != VALUES_UNKNOWN && form != VALUES_BETWEEN)
			f->room[i].values = (struct values){ .form = VALUES_NONE };
	}
}

/* Reads the request of an incomplete frame; false: the command is not there yet. *ret_all: all the
 * data that the request needs are there. */
static bool read_request(struct bytes b, struct found *ret, bool *ret_all)
{
	bool ascii = b.left > 1 && b.p[0] == '5', four = ascii ? b.p[1] == '4' : b.left > 0 && b.p[0] == 0x54;
	unsigned width = ascii ? 2 : 1;
	struct slmp_reader r = { .b = b, .ascii = ascii }, data;
	struct slmp_request q = { .operations = ret->room, .max = FEW };
	uint32_t command, sub;
	bool odd;

	if (!ascii && !four && (b.left == 0 || b.p[0] != 0x50))
		return false;
	bytes_skip(&r.b, slmp_head_length(SLMP_FORM | (ascii ? SLMP_ASCII : 0) | (four ? SLMP_4E : 0)) -
				 (ROUTE + 2u) * width);
	slmp_number(&r, 1, &ret->targets[0]);
	slmp_number(&r, 1, &ret->targets[1]);
	slmp_number(&r, 2, &ret->targets[2]);
	slmp_number(&r, 1, &ret->targets[3]);
	if (r.b.failed || r.b.left < (BEFORE + 4u) * width)
		return false;
	bytes_skip(&r.b, 2u * width); /* the length */
	odd = ascii && any_is_odd(r.b.p, 12);
	bytes_skip(&r.b, 2u * width); /* the monitoring timer */
	data = r;
	command = read_number(&data, 2, ANY_CASE);
	sub = read_number(&data, 2, ANY_CASE);
	if (data.b.failed) {
		data = r;
		command = read_number(&data, 2, OR_ZERO);
		sub = read_number(&data, 2, OR_ZERO);
	}
	ret->service = command << 16 | sub;
	slmp_request_parse(ret->service, ret->targets, data, &q);
	/* further bytes cannot make it well-formed, or are not needed */
	*ret_all = odd || !q.short_of;
	q.well_formed = q.well_formed && !odd;
	if (*ret_all && !q.well_formed)
		slmp_request_forget_place(&q);
	ret->n = q.n;
	if (!*ret_all)
		as_far_as_known(ret);
	return true;
}

/*
 * Whether the incomplete frame at the end may pass. What has come of its command must be allowed;
 * otherwise the complete frame would be refused for the same reason. A frame that already has all
 * the data that it needs cannot become well-formed. If such a frame is refused, the reason is that
 * it is malformed.
 */
static bool unfinished_may_pass(uint8_t form, struct bytes b, const struct allowance *by, struct pdu *ret)
{
	enum frame_result r = FRAME_WHOLE;
	struct found f;
	bool all;
	size_t n;

	while (b.left > 0 && (r = slmp_frame(form, b, &n)) == FRAME_WHOLE)
		bytes_skip(&b, n);
	if (b.left == 0 || r != FRAME_NEED_MORE || !read_request(b, &f, &all) ||
	    !found_refused(&f, all ? R_SLMP_FRAME : R_ALLOWED, by, ret))
		return true;
	ret->early = !all;
	return false;
}

static bool segment_look(struct slmp_state *s, struct bytes b, bool begins, const struct allowance *by, struct pdu *ret)
{
	bool may_pass;

	if (!s->cut)
		return true;
	/* Where everything is allowed, misreading does no harm. Later bytes may come under
	 * another policy. */
	may_pass = evaluate_allows_all(by) ||
		   ((!begins || search_seam(s, b, by, ret)) && commands_search(s->form, b, by, ret));
	keep_tail(s, b);
	return may_pass;
}

/* Whether the rest of a frame may pass if a server takes it for a frame of another form. */
static bool rest_may_pass(struct bytes b, const struct allowance *by, struct pdu *ret)
{
	uint32_t service;
	struct found f;

	if (!other_begins(b, &service))
		return true;
	take_other(service, &f);
	return !found_refused(&f, R_SLMP_CUT, by, ret);
}

bool slmp_framed_else(void *state, bool begins, struct bytes fresh, const struct allowance *by, struct pdu *ret)
{
	size_t n;
	uint32_t service;
	struct found f;

	if (!begins || slmp_frame(((const struct slmp_state *)state)->form, fresh, &n) != FRAME_BAD ||
	    !other_begins(fresh, &service))
		return true;
	take_other(service, &f);
	if (!found_refused(&f, R_SLMP_OTHER, by, ret)) { /* its answer could not be judged */
		pdu_name_operation(ret, f.room, f.n, &(struct ruling){ 0 });
		ret->reason = R_SLMP_OTHER;
	}
	return false;
}

bool slmp_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b, const struct allowance *by,
		  struct pdu *ret)
{
	struct slmp_state *s = state;
	struct bytes rest;

	if (s->wait.n == 0 && carried == 0)
		s->unanswered = 0;
	s->unanswered += (uint32_t)(b.left - carried);
	if (carried > 0 || s->unanswered > READ_MAX)
		s->cut = true;
	rest = b;
	bytes_skip(&rest, carried);
	return (carried == 0 || rest_may_pass(rest, by, ret)) && unfinished_may_pass(s->form, b, by, ret) &&
	       segment_look(s, b, carried == 0, by, ret);
}

bool slmp_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		 const struct allowance *by, struct pdu *ret)
{
	struct slmp_state *s = state;

	if (carried == 0)
		return true;
	s->cut = true;
	return segment_look(s, b, false, by, ret);
}
