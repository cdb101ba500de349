/* SPDX-License-Identifier: Apache-2.0 */
/* A generation in memory: what the supervisor needs to pass it on. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/supervise/supervise.h"
#include "appliance/wire/table_merge.h"
#include "policy/ir/ir.h"

#define UNSEAL_BUDGET (512u << 20)

#define IDS_BUDGET (256u << 20)

/* What each permit is, and the id of the permit in force that it continues. */
static struct permit_wanted *wanted_of(const struct supervisor *s, const struct policy *p, struct arena *a)
{
	struct permit_wanted *wanted = arena_array(a, p->ir->n_permits + 1u, sizeof(*wanted));
	uint32_t *from = arena_array(a, p->ir->n_permits + 1u, sizeof(*from));
	const struct ir_place *places;
	/* As long as the kernel does not have the policy in force, it is not known which ids its
	 * sessions have. */
	bool carry = s->booted && s->now != NULL;

	if (wanted == NULL || from == NULL || !ir_places_keep(p->ir, p->arena) || !ir_places(p->ir, a, &places) ||
	    (carry && !ir_carry_on(s->now->ir, p->ir, a, from)))
		return NULL;
	for (uint32_t i = 0; i < p->ir->n_permits; i++)
		wanted[i] = (struct permit_wanted){ p->ir->permits[i].identity, places[i].digest,
						    carry && from[i] != UINT32_MAX ? s->now->ids[from[i]] : 0 };
	return wanted;
}

static int ids_copy(const struct permit_ids *from, struct permit_ids *ret, struct err *e)
{
	*ret = *from;
	ret->list = calloc(from->n + 1, sizeof(*ret->list));
	if (ret->list == NULL)
		return err_set(e, -ENOMEM, "permit ids");
	if (from->n > 0)
		memcpy(ret->list, from->list, from->n * sizeof(*ret->list));
	return 0;
}

/*
 * Whether the ids may be written later. A full disk must not keep a confirmed policy from coming
 * into force at a start, at the end of a trial, or in a rollback. The few ids that are given out
 * then are written as soon as there is room. If the box starts before that, these ids are not given
 * out again.
 */
static bool can_wait(const struct supervisor *s, int r)
{
	return (r == -ENOSPC || r == -EDQUOT || r == -EROFS) && s->op.kind != OP_APPLY &&
	       s->ids.given <= PERMIT_IDS_SPARE;
}

static int give_ids(struct supervisor *s, struct policy *p, struct err *e)
{
	struct arena *a = arena_new(IDS_BUDGET);
	struct permit_wanted *wanted = a != NULL ? wanted_of(s, p, a) : NULL;
	struct permit_ids tried;
	int r;

	p->ids = calloc((size_t)p->ir->n_permits + 1, sizeof(*p->ids));
	if (p->ids == NULL || wanted == NULL) {
		r = err_set(e, -ENOMEM, "permit ids");
	} else if (s->op.kind == OP_DRY_RUN) {
		/* A dry run assigns ids in a copy only. */
		r = ids_copy(&s->ids, &tried, e);
		if (r == 0) {
			r = permit_ids_assign(&tried, p->ir->n_permits, wanted, p->ids, e);
			permit_ids_free(&tried);
		}
	} else {
		r = permit_ids_assign(&s->ids, p->ir->n_permits, wanted, p->ids, e);
		/* The ids are on the disk before anybody else learns them: an id that is given
		 * twice would give one session the rights of another. */
		if (r == 0)
			r = permit_ids_save(s->state_fd, &s->ids, e);
		if (r < 0 && can_wait(s, r))
			r = 0;
	}
	arena_free(a);
	return r;
}

bool is_unsaved(const struct supervisor *s)
{
	return s->store.unsaved || s->ids.unsaved || s->kept_unsaved;
}

struct policy *policy_new(struct supervisor *s, uint8_t *sealed, size_t n, uint64_t number, struct err *e)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		free(sealed);
		err_set(e, -ENOMEM, "generation");
		return NULL;
	}
	p->sealed = sealed;
	p->n_sealed = n;
	p->number = number;
	p->arena = arena_new(UNSEAL_BUDGET);
	p->ir = p->arena != NULL ? arena_alloc(p->arena, sizeof(*p->ir)) : NULL;
	if (p->ir == NULL) {
		err_set(e, -ENOMEM, "generation");
		goto fail;
	}
	if (ir_unseal(bytes_of(sealed, n), p->arena, p->ir, e) < 0 || give_ids(s, p, e) < 0)
		goto fail;
	p->image = ir_table_image(p->ir, p->ids, &p->n_image);
	if (p->image == NULL) {
		err_set(e, -ENOMEM, "command tables");
		goto fail;
	}
	return p;
fail:
	policy_free(p);
	return NULL;
}

struct policy *policy_empty(struct supervisor *s, struct err *e)
{
	struct ir nothing = {
		.site_name = "", .site_label = "", .site_contact = "", .records_purpose = "", .records_responsible = ""
	};
	uint8_t *sealed;
	size_t n;

	if (ir_seal(&nothing, &sealed, &n, e) < 0)
		return NULL;
	return policy_new(s, sealed, n, 0, e);
}

struct policy *policy_stored(struct supervisor *s, uint64_t number, struct err *e)
{
	struct policy *p;
	uint8_t *sealed;
	size_t n;

	if (number == 0)
		return policy_empty(s, e);
	if (generation_load(&s->store, number, &sealed, &n, e) < 0)
		return NULL;
	p = policy_new(s, sealed, n, number, e);
	if (p == NULL || generation_is(&s->store, number, p->ir->digest))
		return p;
	policy_free(p);
	err_set(e, -EBADMSG, "gen-%llu.sealed is another generation than its history says", (unsigned long long)number);
	return NULL;
}

void policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	free(p->sealed);
	free(p->ids);
	free(p->image);
	arena_free(p->arena);
	free(p);
}

/* Whether live sessions of the permit may go on after the permit has ended, so that its table must
 * stay. */
static bool lingers(const void *ctx, uint32_t permit)
{
	const struct policy *old = ctx;

	for (uint32_t i = 0; old != NULL && i < old->ir->n_permits; i++)
		if (old->ids[i] == permit)
			return old->ir->permits[i].tighten_new_flows;
	return true; /* a permit of an earlier policy, whose sessions may still go on */
}

uint8_t *policy_table(const struct policy *p, const struct policy *old, const uint8_t *table, size_t n_table,
		      size_t *ret_n)
{
	return table_merge(p->image, p->n_image, table, n_table, lingers, old, ret_n);
}

int policy_memfd(const struct policy *p, const struct stamps *table)
{
	size_t n = p->n_sealed + ((size_t)p->ir->n_permits + (table != NULL ? table->n : 0)) * 4;
	uint8_t *buf = malloc(n + 1);
	struct outbuf o = outbuf_of(buf, buf != NULL ? n : 0);
	int fd;

	if (buf == NULL)
		return -ENOMEM;
	out_bytes(&o, p->sealed, p->n_sealed);
	for (uint32_t i = 0; i < p->ir->n_permits; i++)
		out_be32(&o, p->ids[i]);
	for (uint32_t i = 0; table != NULL && i < table->n; i++)
		out_be32(&o, table->list[i].permit);
	fd = o.failed ? -EOVERFLOW : memfd_sealed("sekisho-generation", buf, n);
	free(buf);
	return fd;
}
