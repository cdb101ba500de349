/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/search.h"

#include "dpi/inspect/command.h"

/* The search covers two PDUs of the largest size at a time, but no more bytes than this, because
 * each segment looks through all of them. */
#define SEARCH_PDUS 2u
#define SEARCH_MAX 32768u

_Static_assert(SEARCH_MAX < PACKET_MAX, "what is looked through must fit into its room");

static bool is_likely(const struct flow *f, enum direction dir, struct bytes pdu)
{
	const struct enforcer *e = command_enforcer(f);

	return e->likely == NULL || e->likely(command_known(f), dir, pdu);
}

/* Whether `b` is one or more likely PDUs, and perhaps the beginning of another. */
static bool are_pdus(const struct flow *f, enum direction dir, struct bytes b)
{
	struct bytes pdu;
	size_t n = 0;

	for (uint32_t whole = 0; b.left > 0; whole++) {
		enum frame_result r = command_enforcer(f)->frame(command_known(f), dir, b, &n);

		if (r != FRAME_WHOLE)
			return r == FRAME_NEED_MORE && whole > 0;
		if (n == 0 || !bytes_take(&b, n, &pdu) || !is_likely(f, dir, pdu))
			return false;
	}
	return true;
}

/*
 * Whether the bytes may be the contents of a PDU that began earlier: such contents can look like
 * PDUs. Without this test, a client could choose, by the values that it writes, which bytes are
 * read as PDUs.
 */
static bool is_begun(const struct flow *f, enum direction dir, struct bytes b)
{
	size_t n = 0;

	return b.left >= BEGIN_MIN && command_enforcer(f)->frame(command_known(f), dir, b, &n) == FRAME_NEED_MORE;
}

/* Whether a whole PDU begins among the first `at` bytes: a likely one, or any that ends at or
 * after `at`. */
static bool holds_pdu(const struct flow *f, enum direction dir, struct bytes b, size_t at)
{
	struct bytes pdu, rest;
	size_t n = 0;

	for (size_t i = 0; i < at; i++, bytes_skip(&b, 1)) {
		rest = b;
		if (command_enforcer(f)->frame(command_known(f), dir, b, &n) == FRAME_WHOLE &&
		    bytes_take(&rest, n, &pdu) && (i + n >= at || is_likely(f, dir, pdu)))
			return true;
	}
	return false;
}

/*
 * The offset in `b` from which on there are PDUs; the first `carry` bytes came before this segment.
 * b.left when there is none, or when a PDU that may have begun earlier is not complete yet.
 */
static size_t boundary(const struct flow *f, enum direction dir, struct bytes b, size_t carry, bool turned)
{
	size_t all = b.left;

	for (size_t at = 0; b.left > 0; at++, bytes_skip(&b, 1)) {
		if ((at == carry && command_starts(f, dir, b, turned)) || are_pdus(f, dir, b))
			return at;
		if (is_begun(f, dir, b))
			return all;
	}
	return all;
}

/* Gives up bytes. Any later answer of the server may belong to a request among them. */
static void give_up(struct flow *f, enum direction dir, size_t n)
{
	f->unread += n;
	f->lost_place = true;
	if (dir == DIR_C2S)
		command_note_missed(f, true);
}

void search_note_before(struct crossing *x)
{
	const struct stream_dir *d = &x->f->stream.dir[x->dir];
	int32_t before = d->known ? seq_diff(d->next - (uint32_t)d->offset, x->d.seq) : 0;

	/* A single repeated byte may be a keep-alive probe. */
	if (!search_is_on(x->i) || !x->f->midstream || x->f->commands == NULL || before <= 0 || x->d.payload.left < 2)
		return;
	x->f->unread += x->d.payload.left < (size_t)before ? x->d.payload.left : (size_t)before;
	x->f->lost_place = true;
}

bool search_goes_on(struct crossing *x)
{
	if (!search_is_on(x->i))
		return false;
	x->f->adrift[x->dir] = ADRIFT_SEARCHED;
	command_note_missed(x->f, x->dir == DIR_C2S);
	return true;
}

struct verdict search_boundary(struct crossing *x, struct stream_result *s, bool turned)
{
	struct flow *f = x->f;
	const struct enforcer *e = command_enforcer(f);
	size_t carry = stream_carry(&f->stream, x->dir), at, all;
	size_t most = SEARCH_PDUS * e->pdu_max < SEARCH_MAX ? SEARCH_PDUS * e->pdu_max : SEARCH_MAX;
	uint8_t *room = x->i->rooms.pdu;
	struct bytes before, taken = s->fresh;

	if (!stream_carry_copy(&f->stream, &x->i->pool, x->dir, room))
		carry = 0;
	all = s->fresh.left < PACKET_MAX - carry ? carry + s->fresh.left : PACKET_MAX;
	bytes_copy(&taken, room + carry, all - carry);
	at = boundary(f, x->dir, bytes_of(room, all), carry, turned);
	if (at == all) {
		if (all > most)
			give_up(f, x->dir, all - most);
		return crossing_take(x, s, all > most ? most : all, R_MIDSTREAM_WAIT);
	}
	if (at >= e->pdu_max || holds_pdu(f, x->dir, bytes_of(room, all), at))
		give_up(f, x->dir, at);
	else
		f->unread += at;
	bytes_take(&s->fresh, at > carry ? at - carry : 0, &before);
	stream_commit(&f->stream, &x->i->pool, x->dir, before, false, at < carry ? carry - at : 0);
	return go_on();
}

void search_end(struct flow *f)
{
	for (int dir = 0; dir < 2; dir++) {
		size_t carry = stream_carry(&f->stream, (enum direction)dir);

		if (f->commands != NULL && f->adrift[dir] && carry > 0)
			give_up(f, (enum direction)dir, carry);
	}
}
