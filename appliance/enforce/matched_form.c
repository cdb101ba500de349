/* SPDX-License-Identifier: Apache-2.0 */
/* The uses and their times as bytes: for the disk and for the next process. Damaged bytes count as
 * none: watching then begins anew. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/enforce/matched.h"

static const uint8_t form[16] = "sekisho used 1";

uint8_t *matched_put(const struct matched *m, size_t *ret_n)
{
	struct msg_used_head h = { .looked_ns = m->looked_ns,
				   .gaps = (uint32_t)m->gaps.n,
				   .permits = (uint32_t)m->n,
				   .conduits = (uint32_t)m->n_conduits,
				   .cells = (uint32_t)m->n_cells };
	uint8_t *p = malloc(USED_BYTES), digest[32];
	struct outbuf o = outbuf_of(p, p != NULL ? USED_BYTES : 0);

	memcpy(h.form, form, sizeof(form));
	memcpy(h.digest, m->digest, sizeof(h.digest));
	msg_put_used_head(&o, &h);
	for (size_t i = 0; i < m->gaps.n; i++)
		msg_put_used_gap(&o, &m->gaps.list[i]);
	for (size_t i = 0; i < m->n; i++)
		msg_put_used_permit(&o, &m->list[i]);
	for (size_t i = 0; i < m->n_conduits; i++)
		msg_put_used_conduit(&o, &m->conduits[i]);
	for (size_t i = 0; i < m->n_cells; i++)
		msg_put_used_cell(&o, &m->cells[i]);
	if (!o.failed)
		sha256(p, o.len, digest);
	out_bytes(&o, digest, sizeof(digest));
	*ret_n = o.len;
	if (!o.failed)
		return p;
	free(p);
	return NULL;
}

/* Allocates `n` rows when the bytes hold that many, of at least `least` bytes each. */
static bool room(const struct bytes *b, uint32_t n, size_t least, size_t size, void *ret, size_t *ret_n)
{
	void *list = n <= b->left / least ? calloc((size_t)n + 1, size) : NULL;

	memcpy(ret, &list, sizeof(list));
	*ret_n = list != NULL ? n : 0;
	return list != NULL;
}

/* The rows must be sorted, because they are searched by halving. */
static bool take_rows(struct bytes *b, const struct msg_used_head *h, struct matched *m)
{
	bool ok = h->gaps <= b->left / USED_GAP_BYTES;

	m->gaps.n = ok ? h->gaps : 0;
	for (size_t i = 0; i < m->gaps.n; i++)
		ok &= msg_take_used_gap(b, &m->gaps.list[i]);
	ok = ok && room(b, h->permits, USED_PERMIT_BYTES, sizeof(*m->list), &m->list, &m->n);
	for (size_t i = 0; ok && i < m->n; i++)
		ok = msg_take_used_permit(b, &m->list[i]) && (i == 0 || m->list[i - 1].permit < m->list[i].permit);
	ok = ok && room(b, h->conduits, USED_CONDUIT_BYTES, sizeof(*m->conduits), &m->conduits, &m->n_conduits);
	for (size_t i = 0; ok && i < m->n_conduits; i++)
		ok = msg_take_used_conduit(b, &m->conduits[i]) &&
		     (i == 0 || memcmp(m->conduits[i - 1].name, m->conduits[i].name, 16) < 0);
	ok = ok && room(b, h->cells, USED_CELL_BYTES, sizeof(*m->cells), &m->cells, &m->n_cells);
	for (size_t i = 0; ok && i < m->n_cells; i++)
		ok = msg_take_used_cell(b, &m->cells[i]) &&
		     (i == 0 || memcmp(m->cells[i - 1].key, m->cells[i].key, 16) < 0);
	return ok && bytes_done(b);
}

int matched_take(const uint8_t *p, size_t n, struct matched *m, struct err *e)
{
	struct msg_used_head h;
	uint8_t digest[32];
	struct bytes b = bytes_of(p, n < sizeof(digest) ? 0 : n - sizeof(digest));

	*m = (struct matched){ 0 };
	sha256(p, b.left, digest);
	if (n < sizeof(digest) || memcmp(p + b.left, digest, sizeof(digest)) != 0 || !msg_take_used_head(&b, &h) ||
	    memcmp(h.form, form, sizeof(form)) != 0 || !take_rows(&b, &h, m)) {
		matched_free(m);
		return err_set(e, -EBADMSG, "what was used: damaged, or of another release; it is watched anew");
	}
	m->looked_ns = h.looked_ns;
	memcpy(m->digest, h.digest, sizeof(m->digest));
	return 0;
}
