/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server reads that lost its place. Public servers read by the length in the header, but not all of them wait for a whole
 * header, nor for a whole frame: melsec_mc_mock takes a 3E frame of which ten bytes came for a frame of ten bytes without
 * subheader, many small ones take what one call of recv returns for one frame. A client that chooses where its frames are cut, and
 * what it writes, could so have them read a command where none was written.
 *
 * From the first segment that begins inside a frame, or that a server may read in two parts, the client's bytes are therefore
 * searched for commands at every place, in both codings, whatever stands before their length: each must be allowed. Some servers know
 * frames of other forms as well, which no session here has but which may hide in one: those are searched for by their subheaders.
 *
 * And whoever takes what one call returns for one frame does not wait for what its length says is still to come, and may need less of it
 * than the manual says. So what is there of a frame is judged by what it asks for already, as soon as its command is there.
 */
#include <string.h>

#include "appliance/wire/vocabulary.h"
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

/* A command whose first byte is at `at`, if one may be there. */
static bool finds(struct bytes b, size_t at, bool ascii, struct found *ret)
{
	unsigned width = ascii ? 2 : 1;
	struct slmp_reader r = { .b = b, .ascii = ascii }, route = r;
	struct slmp_request q = { .operations = ret->room, .max = FEW };
	uint32_t length, timer, command, sub;

	if (at < (size_t)BEFORE * width || b.left - at < 4u * width)
		return false;
	bytes_skip(&r.b, at - (size_t)BEFORE * width);
	slmp_number(&r, 2, &length);
	slmp_number(&r, 2, &timer);
	slmp_number(&r, 2, &command);
	slmp_number(&r, 2, &sub);
	if (r.b.failed || length < 6u * width || length > SLMP_LENGTH_MAX ||
	    function_by_code(vocabulary_of(PROTO_SLMP), command << 16 | sub) == NULL)
		return false;
	ret->service = command << 16 | sub;
	for (unsigned i = 0; i < SLMP_TARGETS; i++)
		ret->targets[i] = 0;
	if (at >= (size_t)(BEFORE + ROUTE) * width) {
		bytes_skip(&route.b, at - (size_t)(BEFORE + ROUTE) * width);
		slmp_number(&route, 1, &ret->targets[0]);
		slmp_number(&route, 1, &ret->targets[1]);
		slmp_number(&route, 2, &ret->targets[2]);
		slmp_number(&route, 1, &ret->targets[3]);
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
	if (k == sizeof(foreign) / sizeof(foreign[0]) || !bytes_skip(&r.b, (size_t)foreign[k].command * width) ||
	    !slmp_number(&r, 2, &command) || !slmp_number(&r, 2, &sub) ||
	    function_by_code(vocabulary_of(PROTO_SLMP), command << 16 | sub) == NULL)
		return false;
	ret->service = command << 16 | sub;
	memset(ret->targets, 0, sizeof(ret->targets));
	bytes_skip(&route.b, FOREIGN_ROUTE * width);
	slmp_number(&route, 1, &ret->targets[0]);
	slmp_number(&route, 1, &ret->targets[1]);
	slmp_number(&route, 2, &ret->targets[2]);
	slmp_request_parse(ret->service, ret->targets, (struct slmp_reader){ .b = { .failed = true } }, &q);
	slmp_request_forget_place(&q);
	ret->n = q.n;
	return true;
}

/* As may_begin, of their subheaders. */
static bool may_be_foreign(struct bytes b, size_t at, bool ascii)
{
	const uint8_t *p = b.p + at;

	if (b.left - at < FOREIGN_MIN * (ascii ? 2u : 1u))
		return false;
	return ascii ? p[1] == 'D' && p[2] == '0' && p[3] == '0'
		     : p[1] == 0 && (p[0] == 0x5d || p[0] == 0x9d || p[0] == 0xdd || p[0] == 0x68 || p[0] == 0xe8);
}

static bool is_digit_pair(const uint8_t *p)
{
	return slmp_digit(p[0]) >= 0 && slmp_digit(p[1]) >= 0;
}

/* The most that can be said of a place by a look: named commands are below 2200, and their subcommands below 100. */
static bool may_begin(struct bytes b, size_t at, bool ascii)
{
	const uint8_t *p = b.p + at;

	if (ascii)
		return b.left - at >= 8 && p[0] <= '2' && p[4] == '0' && p[5] == '0' && is_digit_pair(p);
	return b.left - at >= 4 && p[3] == 0 && p[1] > 0 && p[1] <= 0x21;
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

static bool search(uint8_t form, struct bytes b, const struct command_table *t, const struct command_permit *p,
		   struct pdu *ret)
{
	struct bytes frames = b;
	size_t frame_at = 0, written = next_written(form, &frames, &frame_at);
	struct found f;

	for (size_t at = 0; at < b.left; at++) {
		if (at == written) {
			written = next_written(form, &frames, &frame_at);
			continue;
		}
		for (unsigned ascii = 0; ascii < 2; ascii++)
			if (((may_begin(b, at, ascii != 0) && finds(b, at, ascii != 0, &f)) ||
			     (may_be_foreign(b, at, ascii != 0) && finds_foreign(b, at, ascii != 0, &f))) &&
			    refuses(&f, R_SLMP_CUT, t, p, ret))
				return false;
	}
	return true;
}

/* The end of what was there before with the beginning of this: a command may lie in both. */
static bool search_seam(const struct slmp_state *s, struct bytes b, const struct command_table *t,
			const struct command_permit *p, struct pdu *ret)
{
	uint8_t both[2 * SLMP_TAIL];
	size_t n = b.left < SLMP_TAIL ? b.left : SLMP_TAIL;
	struct found f;

	memcpy(both, s->tail, s->n_tail);
	memcpy(both + s->n_tail, b.p, n);
	b = bytes_of(both, s->n_tail + n);
	for (size_t at = 0; at < s->n_tail; at++)
		for (unsigned ascii = 0; ascii < 2; ascii++)
			if (((may_begin(b, at, ascii != 0) && at + (ascii != 0 ? 8u : 4u) > s->n_tail &&
			      finds(b, at, ascii != 0, &f)) ||
			     (may_be_foreign(b, at, ascii != 0) && finds_foreign(b, at, ascii != 0, &f))) &&
			    refuses(&f, R_SLMP_CUT, t, p, ret))
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
	struct slmp_reader r = { .b = b, .ascii = ascii };
	struct slmp_request q = { .operations = ret->room, .max = FEW };
	uint32_t any, command, sub;

	if (!ascii && !four && (b.left == 0 || b.p[0] != 0x50))
		return false;
	bytes_skip(&r.b, slmp_head_length(SLMP_FORM | (ascii ? SLMP_ASCII : 0) | (four ? SLMP_4E : 0)) -
				 (ROUTE + 2u) * width);
	slmp_number(&r, 1, &ret->targets[0]);
	slmp_number(&r, 1, &ret->targets[1]);
	slmp_number(&r, 2, &ret->targets[2]);
	slmp_number(&r, 1, &ret->targets[3]);
	slmp_number(&r, 2, &any); /* the length */
	slmp_number(&r, 2, &any); /* the monitoring timer */
	slmp_number(&r, 2, &command);
	if (!slmp_number(&r, 2, &sub))
		return false;
	ret->service = command << 16 | sub;
	slmp_request_parse(ret->service, ret->targets, r, &q);
	*ret_all = !q.short_of;
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

bool slmp_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b,
		  const struct command_table *t, const struct command_permit *p, struct pdu *ret)
{
	struct slmp_state *s = state;

	(void)offset;
	(void)late;
	if (s->wait.n == 0 && carried == 0)
		s->unanswered = 0;
	s->unanswered += (uint32_t)(b.left - carried);
	if (carried > 0 || s->unanswered > READ_MAX)
		s->cut = true;
	return unfinished_may_pass(s->form, b, t, p, ret) && look(s, b, carried == 0, t, p, ret);
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
