/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server reads that lost its place. Public servers read by the length in the header, but not all of them wait for a whole
 * header, nor for a whole frame: melsec_mc_mock takes a 3E frame of which ten bytes came for a frame of ten bytes without
 * subheader, many small ones take what one call of recv returns for one frame. A client that chooses where its frames are cut, and
 * what it writes, could so have them read a command where none was written.
 *
 * From the first segment that begins inside a frame, or that a server may read in two parts, the client's bytes are therefore
 * searched for commands at every place, in both codings, whatever stands before their length: each must be allowed. Some servers know
 * frames of other forms as well, which no session here has but which may hide in one: those are searched for by their subheaders, and
 * 1E, whose subheader is a byte, by the device that it names besides (other.h). One that names none is looked for where a segment begins.
 * No two of them agree on what is a digit of ASCII: most take those of lower case too, and libslmp2 takes whatever is no digit for a 0.
 *
 * And whoever takes what one call returns for one frame does not wait for what its length says is still to come, and may need less of it
 * than the manual says. So what is there of a frame is judged by what it asks for already, as soon as its command is there.
 */
#include <string.h>

#include "appliance/wire/vocabulary.h"
#include "dpi/slmp/other.h"
#include "dpi/slmp/state.h"

#define READ_MAX 1024u /* what the least of servers takes out of its socket at once */
#define FEW 8u	       /* operations of a command that is found where none was written; more of them are anywhere */

/* Bytes in front of a command: route, length, monitoring timer. */
#define ROUTE 5u
#define BEFORE 4u

struct found {
	uint32_t service;
	uint32_t targets[SLMP_TARGETS];
	struct operation room[FEW];
	uint32_t n;
};

/* What a digit of ASCII is to whom. */
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

/* As slmp_number, by whoever reads so. */
static uint32_t number(struct slmp_reader *r, unsigned n, enum digits digits)
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

/* The route at the beginning of `r`. Nobody reads it twice: what is no digit to anybody is a 0 in it. */
static void route_of(struct slmp_reader *r, enum digits digits, uint32_t ret[SLMP_TARGETS])
{
	static const uint8_t widths[SLMP_TARGETS] = { 1, 1, 2, 1 };

	for (unsigned i = 0; i < SLMP_TARGETS; i++) {
		ret[i] = number(r, widths[i], digits);
		r->b.failed = false;
	}
}

/* A command whose first byte is at `at`, if one may be there. */
static bool finds(struct bytes b, size_t at, bool ascii, enum digits digits, struct found *ret)
{
	unsigned width = ascii ? 2 : 1;
	struct slmp_reader r = { .b = b, .ascii = ascii }, route = r;
	struct slmp_request q = { .operations = ret->room, .max = FEW };
	uint32_t length, command, sub;

	if (at < (size_t)BEFORE * width || b.left - at < 4u * width)
		return false;
	bytes_skip(&r.b, at - (size_t)BEFORE * width);
	length = number(&r, 2, digits);
	bytes_skip(&r.b, 2u * width); /* the monitoring timer may be anything */
	command = number(&r, 2, digits);
	sub = number(&r, 2, digits);
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
	else
		r.b = (struct bytes){ .failed = true }; /* the rest is to come: nobody knows what it says */
	slmp_request_parse(ret->service, ret->targets, r, &q);
	if (!q.well_formed)
		slmp_request_forget_place(&q);
	ret->n = q.n;
	return true;
}

/*
 * Forms of frames that are not enforced, and where their command is: extended MT, the same pushed and answered, and CC-Link IE TSN's, asked
 * and answered. (Answers of 3E and 4E have no command there.)
 * libslmp2 reads each of them wherever it takes a frame to begin, throws away what follows a frame in what one call returned, and executes
 * the command whichever it is. Length and data lie elsewhere than in ours.
 */
static const struct {
	uint8_t subheader, command;
	bool in_ascii;
} foreign[] = { { 0x5d, 20, true }, { 0x9d, 20, true }, { 0xdd, 20, true }, { 0x68, 18, false }, { 0xe8, 18, false } };

#define OWN_MIN 30u /* characters of a 3E frame, the command and its subcommand with them */
#define FOREIGN_ROUTE 6u
#define FOREIGN_MIN 22u /* bytes, the command and its subcommand with them */

/* Such a frame at `at`, if there is as much of it as has its command. What it touches is not known. */
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
	command = number(&r, 2, OR_ZERO);
	sub = number(&r, 2, OR_ZERO);
	if (r.b.failed || function_by_code(vocabulary_of(PROTO_SLMP), command << 16 | sub) == NULL)
		return false;
	ret->service = command << 16 | sub;
	bytes_skip(&route.b, FOREIGN_ROUTE * width);
	route_of(&route, OR_ZERO, ret->targets);
	ret->targets[3] = 0; /* who asks, in most of them */
	slmp_request_parse(ret->service, ret->targets, (struct slmp_reader){ .b = { .failed = true } }, &q);
	slmp_request_forget_place(&q);
	ret->n = q.n;
	return true;
}

/* What a frame of another form asks for: of the station itself, and what it touches is not looked at. */
static void take_other(uint32_t service, struct found *ret)
{
	struct slmp_request q = { .operations = ret->room, .max = FEW };

	*ret = (struct found){ .service = service, .targets = { 0, 0xff, 0x3ff, 0 } };
	slmp_request_parse(service, ret->targets, (struct slmp_reader){ .b = { .failed = true } }, &q);
	slmp_request_forget_place(&q);
	ret->n = q.n;
}

/*
 * What can be said of a place by a look, for every one of the client's bytes is looked at: `left` of them are there from `p` on. Named commands
 * are from 0100 to 21ff, and their subcommands below 100.
 */
static inline bool may_begin(const uint8_t *p, size_t left, bool ascii)
{
	if (ascii)
		return left >= 8 && p[4] == '0' && p[5] == '0' && p[0] <= '2' && (p[0] != '0' || p[1] != '0') &&
		       digit_as(p[0], ANY_CASE) >= 0 && digit_as(p[1], ANY_CASE) >= 0;
	return left >= 4 && p[3] == 0 && p[1] > 0 && p[1] <= 0x21;
}

/* ... of the subheaders of other forms. */
static inline bool may_be_foreign(const uint8_t *p, size_t left, bool ascii)
{
	if (ascii)
		return p[0] >= '5' && left >= FOREIGN_MIN * 2u && p[1] == 'D' && p[2] == '0' && p[3] == '0';
	return p[0] >= 0x5d && left >= FOREIGN_MIN && p[1] == 0 &&
	       (p[0] == 0x5d || p[0] == 0x9d || p[0] == 0xdd || p[0] == 0x68 || p[0] == 0xe8);
}

/* ... of those of our own forms, in ASCII. */
static inline bool may_be_own(const uint8_t *p, size_t left)
{
	return p[0] == '5' && left >= OWN_MIN && (p[1] == '0' || p[1] == '4') && p[2] == '0' && p[3] == '0';
}

/*
 * Where the command is of a frame of our own forms whose subheader is at `at`, in ASCII, as libslmp2 would know it, if it has any byte that is no
 * digit to us: the others are found as they are. 0: none there.
 */
static size_t oddly_written(struct bytes b, size_t at)
{
	const uint8_t *p = b.p + at;
	size_t head = 2u * slmp_head_length(p[1] == '4' ? SLMP_FORM | SLMP_4E : SLMP_FORM) + 4u;
	size_t route = head - (size_t)(ROUTE + BEFORE) * 2u, n = head + 8u;

	return b.left - at >= n && any_is_odd(p + route, n - route) ? at + head : 0;
}

/* The command of `f` is refused; *ret says by whom, and `reason`, or R_ALLOWED: its own. */
static bool refuses(const struct found *f, enum reason reason, const struct command_table *t,
		    const struct command_permit *p, struct pdu *ret)
{
	const struct vocabulary *v = vocabulary_of(PROTO_SLMP);
	struct ruling ruling;

	evaluate(t, p, v, f->room, f->n, &ruling);
	if (ruling.reason == R_ALLOWED)
		return false;
	pdu_name_ruling(ret, &ruling);
	evaluate_limit(t, v, f->room, &ruling, &ret->limit);
	pdu_name_operation(ret, f->room, f->n, &ruling);
	ret->reason = reason != R_ALLOWED ? reason : ruling.reason;
	ret->reading = reason == R_SLMP_CUT;
	return true;
}

/* Where the commands are that the client wrote: those are judged as what they are. */
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

/* ... of 1E, whose subheader is below 8. */
static inline bool may_be_other(const uint8_t *p, size_t left, bool ascii)
{
	uint32_t service;

	return (ascii ? p[0] == '0' : p[0] < 8) && slmp_other_names(p, left, ascii, &service);
}

static inline bool may_be_any(const uint8_t *p, size_t left)
{
	return may_begin(p, left, false) || may_be_other(p, left, false) || may_be_other(p, left, true) ||
	       may_begin(p, left, true) || may_be_foreign(p, left, false) || may_be_foreign(p, left, true) ||
	       may_be_own(p, left);
}

/* What begins at `at`, but for the command that the client wrote at `written`, and for commands of which all lies before `seam`. */
static bool is_refused_at(struct bytes b, size_t at, size_t written, size_t seam, const struct command_table *t,
			  const struct command_permit *p, struct pdu *ret)
{
	const uint8_t *from = b.p + at;
	size_t left = b.left - at, command;
	uint32_t service;
	struct found f;

	for (unsigned ascii = 0; ascii < 2; ascii++)
		if (at + SLMP_OTHER_MIN * (ascii != 0 ? 2u : 1u) > seam &&
		    slmp_other_names(from, left, ascii != 0, &service)) {
			take_other(service, &f);
			if (refuses(&f, R_SLMP_CUT, t, p, ret))
				return true;
		}
	for (unsigned ascii = 0; ascii < 2; ascii++)
		if (((may_begin(from, left, ascii != 0) && at + (ascii != 0 ? 8u : 4u) > seam &&
		      finds(b, at, ascii != 0, ANY_CASE, &f)) ||
		     (may_be_foreign(from, left, ascii != 0) && finds_foreign(b, at, ascii != 0, &f))) &&
		    refuses(&f, R_SLMP_CUT, t, p, ret))
			return true;
	return may_be_own(from, left) && (command = oddly_written(b, at)) > 0 && command != written &&
	       command + 8u > seam && finds(b, command, true, OR_ZERO, &f) && refuses(&f, R_SLMP_CUT, t, p, ret);
}

static bool search(uint8_t form, struct bytes b, const struct command_table *t, const struct command_permit *p,
		   struct pdu *ret)
{
	struct bytes frames = b;
	size_t frame_at = 0, written = next_written(form, &frames, &frame_at);

	for (size_t at = 0; at < b.left; at++)
		if (at == written)
			written = next_written(form, &frames, &frame_at);
		else if (may_be_any(b.p + at, b.left - at) && is_refused_at(b, at, written, 0, t, p, ret))
			return false;
	return true;
}

/* The end of what was there before with the beginning of this: a command may lie in both. */
static bool search_seam(const struct slmp_state *s, struct bytes b, const struct command_table *t,
			const struct command_permit *p, struct pdu *ret)
{
	uint8_t both[2 * SLMP_TAIL];
	size_t n = b.left < SLMP_TAIL ? b.left : SLMP_TAIL;

	memcpy(both, s->tail, s->n_tail);
	memcpy(both + s->n_tail, b.p, n);
	b = bytes_of(both, s->n_tail + n);
	for (size_t at = 0; at < s->n_tail; at++)
		if (may_be_any(b.p + at, b.left - at) && is_refused_at(b, at, SIZE_MAX, s->n_tail, t, p, ret))
			return false;
	return true;
}

static void keep_tail(struct slmp_state *s, struct bytes b)
{
	s->n_tail = (uint8_t)(b.left < SLMP_TAIL ? b.left : SLMP_TAIL);
	bytes_skip(&b, b.left - s->n_tail);
	memcpy(s->tail, b.p, s->n_tail);
}

/* Of a request whose data goes on: the values that are not all there are not known, nor what finds no room. */
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

/* What a frame asks for of which only the head and some data are there; false: no command yet. *ret_all: all that it needs is there. */
static bool takes(struct bytes b, struct found *ret, bool *ret_all)
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
	command = number(&data, 2, ANY_CASE);
	sub = number(&data, 2, ANY_CASE);
	if (data.b.failed) {
		data = r;
		command = number(&data, 2, OR_ZERO);
		sub = number(&data, 2, OR_ZERO);
	}
	ret->service = command << 16 | sub;
	slmp_request_parse(ret->service, ret->targets, data, &q);
	*ret_all = odd || !q.short_of; /* more of it cannot make it a well-formed one, or is not needed */
	q.well_formed = q.well_formed && !odd;
	if (*ret_all && !q.well_formed)
		slmp_request_forget_place(&q);
	ret->n = q.n;
	if (!*ret_all)
		as_far_as_known(ret);
	return true;
}

/*
 * The frame at the end, if there is more of it to come: what it asks for already is allowed. What is not would be refused when it is whole,
 * for the same reason; one that has all it needs never becomes a well-formed one.
 */
static bool unfinished_may_pass(uint8_t form, struct bytes b, const struct command_table *t,
				const struct command_permit *p, struct pdu *ret)
{
	enum frame_result r = FRAME_WHOLE;
	struct found f;
	bool all;
	size_t n;

	while (b.left > 0 && (r = slmp_frame(form, b, &n)) == FRAME_WHOLE)
		bytes_skip(&b, n);
	if (b.left == 0 || r != FRAME_NEED_MORE || !takes(b, &f, &all) ||
	    !refuses(&f, all ? R_SLMP_FRAME : R_ALLOWED, t, p, ret))
		return true;
	ret->early = !all;
	return false;
}

static bool look(struct slmp_state *s, struct bytes b, bool begins, const struct command_table *t,
		 const struct command_permit *p, struct pdu *ret)
{
	bool may_pass;

	if (!s->cut)
		return true;
	/* Where everything is allowed nothing can be misread; what goes on behind it may come by another policy. */
	may_pass = evaluate_allows_all(t, p, vocabulary_of(PROTO_SLMP)) ||
		   ((!begins || search_seam(s, b, t, p, ret)) && search(s->form, b, t, p, ret));
	keep_tail(s, b);
	return may_pass;
}

/* The rest of a frame, as who takes it for one of another form. */
static bool rest_may_pass(struct bytes b, const struct command_table *t, const struct command_permit *p,
			  struct pdu *ret)
{
	uint32_t service;
	struct found f;

	if (!slmp_other_begins(b, &service))
		return true;
	take_other(service, &f);
	return !refuses(&f, R_SLMP_CUT, t, p, ret);
}

bool slmp_framed_else(void *state, bool begins, struct bytes fresh, const struct command_table *t,
		      const struct command_permit *p, struct pdu *ret)
{
	size_t n;
	uint32_t service;
	struct found f;

	if (!begins || slmp_frame(((const struct slmp_state *)state)->form, fresh, &n) != FRAME_BAD ||
	    !slmp_other_begins(fresh, &service))
		return true;
	take_other(service, &f);
	if (!refuses(&f, R_SLMP_OTHER, t, p, ret)) { /* no answer to it could be judged */
		pdu_name_operation(ret, f.room, f.n, &(struct ruling){ 0 });
		ret->reason = R_SLMP_OTHER;
	}
	return false;
}

bool slmp_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		  const struct command_table *t, const struct command_permit *p, struct pdu *ret)
{
	struct slmp_state *s = state;
	struct bytes rest;

	(void)offset;
	(void)late;
	if (s->wait.n == 0 && carried == 0)
		s->unanswered = 0;
	s->unanswered += (uint32_t)(b.left - carried);
	if (carried > 0 || s->unanswered > READ_MAX)
		s->cut = true;
	rest = b;
	bytes_skip(&rest, carried);
	return (carried == 0 || rest_may_pass(rest, t, p, ret)) && unfinished_may_pass(s->form, b, t, p, ret) &&
	       look(s, b, carried == 0, t, p, ret);
}

bool slmp_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		 const struct command_table *t, const struct command_permit *p, struct pdu *ret)
{
	struct slmp_state *s = state;

	(void)offset;
	(void)length;
	(void)late;
	if (carried == 0)
		return true;
	s->cut = true;
	return look(s, b, false, t, p, ret);
}
