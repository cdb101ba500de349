/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network devices that the box took, and how they are given back. The state of a device is on the
 * disk before the device is touched. A device is given back when the box goes back to a policy
 * without it, when an apply or a trial fails, when the daemon finds at its start that an earlier
 * one died in between, and when a person orders it. If an apply only leaves a device out, it stays
 * in the box unused.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "appliance/base/json_each.h"
#include "appliance/box/box.h"
#include "appliance/box/loan.h"
#include "appliance/store/kept.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/guard.h"
#include "appliance/supervise/kept.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/hours.h"

int kept_open(struct supervisor *s, struct err *e)
{
	bool damaged;

	s->kept.records = kept_load(s->ground.state_fd, &damaged, e);
	if (s->kept.records == NULL)
		return e->code;
	if (damaged)
		supervisor_say(s, M_KEPT_DAMAGED);
	kept_spaces(s->kept.records, s->ground.o->data_netns, s->ground.o->admin_netns);
	return 0;
}

static bool names_device(const struct ir *ir, const char *device)
{
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (strcmp(ir_card(&ir->interfaces[i]), device) == 0)
			return true;
	return false;
}

bool kept_left_alone(const void *supervisor, const char *device)
{
	const struct supervisor *s = supervisor;
	const json_t *record = kept_find(s->kept.records, device);
	bool ordered = s->op.kind == OP_APPLY || s->op.kind == OP_ROLLBACK;

	return record != NULL && kept_mark(record) == KEPT_RELEASED && !ordered;
}

/*
 * Whether the device's present state is to be stored, instead of the recorded one. After a start of
 * the machine, before anybody has set the device up, the recorded one stays, unless it was of
 * another card.
 */
static bool present_counts(struct supervisor *s, const char *device, const json_t *had, const json_t *now)
{
	bool another = had != NULL && loan_another(had, now);

	if (another)
		supervisor_say(s, M_KEPT_ANOTHER, device);
	return had == NULL || another || !loan_bare(now);
}

/* Saves the records. If that fails, `status` says so, and unsaved_due tries again. */
static int kept_written(struct supervisor *s, struct err *e)
{
	int r = kept_save(s->ground.state_fd, s->kept.records, e);

	s->kept.unsaved = r < 0;
	return r;
}

void kept_save_again(struct supervisor *s)
{
	struct err e;

	if (s->kept.unsaved)
		(void)kept_written(s, &e);
}

/* Stores the state of one device that is about to be moved, if it is still in the first namespace.
 * `changed`: something must be written; `seen`: a state was read. */
static int keep_one(struct supervisor *s, const char *device, bool *changed, bool *seen, struct err *e)
{
	json_t *record = kept_find(s->kept.records, device), *had = json_object_get(record, "picture"), *picture;
	struct err why = { 0 };

	if (kept_left_alone(s, device))
		return 0;
	/* If the box has that device, a device of the same name in the first namespace is another
	 * one. */
	picture = box_has(&s->ground.spaces, device) ? NULL : loan_read(&s->ground.spaces, device, &why);
	if (picture == NULL && why.code != 0 && why.code != -ENODEV) {
		*e = why;
		return why.code;
	}
	/* Without a state there is nothing to store: the device is in the box already, or does not
	 * exist. But if an apply had left the device out, it now belongs to a policy again. */
	if (picture == NULL && (record == NULL || kept_mark(record) == KEPT_TAKEN))
		return 0;
	if (had != NULL)
		json_object_del(had, "going");
	if (picture != NULL && present_counts(s, device, had, picture))
		kept_put(s->kept.records, device, KEPT_TAKEN, picture);
	else
		kept_put(s->kept.records, device, KEPT_TAKEN, NULL);
	*seen |= picture != NULL;
	json_decref(picture);
	*changed = true;
	return 0;
}

void kept_guard(struct supervisor *s)
{
	struct err e;

	if (home_guard(s->kept.records, s->gens.now->ir, &s->ground.spaces, &e) < 0)
		supervisor_say(s, M_HOME_UNGUARDED, e.text);
}

int kept_take(struct supervisor *s, const struct ir *ir, json_t **ret_before, struct err *e)
{
	bool changed = false, seen = false;
	int r = 0;

	if (ret_before != NULL)
		*ret_before = json_deep_copy(s->kept.records);
	for (uint32_t i = 0; i < ir->n_interfaces && r == 0; i++)
		r = keep_one(s, ir_card(&ir->interfaces[i]), &changed, &seen, e);
	if (r == 0 && changed)
		r = kept_written(s, e);
	if (changed)
		kept_guard(s);
	/*
	 * A full disk does not keep a confirmed policy from coming into force. The exception is a
	 * rollback for which the settings of a card were newly read: these could get lost, and the
	 * person who ordered the rollback can act.
	 */
	if ((s->op.kind == OP_BOOT || s->op.kind == OP_REVERT || (s->op.kind == OP_ROLLBACK && !seen)) &&
	    (r == -ENOSPC || r == -EDQUOT || r == -EROFS))
		r = 0;
	return r;
}

/* The name of a device in records: "lan1 (ot0)", with all interfaces on a card; the device's own
 * name, if the policy does not name it. */
static void object_text(const struct ir *ir, const char *device, char out[EVENT_TEXT])
{
	size_t at = 0;

	for (uint32_t i = 0; ir != NULL && i < ir->n_interfaces && at < EVENT_TEXT / 2; i++)
		if (strcmp(ir_card(&ir->interfaces[i]), device) == 0)
			at += (size_t)snprintf(out + at, EVENT_TEXT - at, "%s%.64s", at > 0 ? ", " : "",
					       ir->interfaces[i].name);
	if (at > 0)
		snprintf(out + at, EVENT_TEXT - at, " (%.32s)", device);
	else
		snprintf(out, EVENT_TEXT, "%.32s", device);
}

/* Records which devices were given back, and by whose order. Writes it to standard error as well,
 * because often nobody waits for an answer. `ir` has the names of the interfaces; NULL: they are
 * not known. */
static void tell_returned(struct supervisor *s, enum policy_event what, const struct ir *ir, const json_t *reports)
{
	json_each(r, reports) {
		const json_t *list = json_object_get(r, "lost");
		const char *now = json_string_value(json_object_get(r, "now"));
		bool moved = now != NULL && *now != '\0';
		char object[EVENT_TEXT];

		if (moved)
			supervisor_say(s, M_GIVEN_BACK, now);
		for (size_t n = 0; n < json_array_size(list); n++)
			supervisor_say(s, M_GIVEN_BACK_LOST,
				       json_string_value(
					       json_object_get(json_array_get(list, n), lang_name(s->ground.o->lang))));
		/* A device that was in the first namespace all the time, or does not exist, is not
		 * given back by a change, so there is no record. The report for an order lists
		 * it. */
		if (json_is_true(json_object_get(r, "stuck")) ||
		    (what == POLICY_GIVEN_BACK && (!moved || json_is_true(json_object_get(r, "was_here")))))
			continue;
		object_text(ir, json_string_value(json_object_get(r, "device")), object);
		policy_event(s, what, s->gens.now->number, object);
	}
}

static void save_records(struct supervisor *s)
{
	struct err e = { 0 };

	kept_guard(s);

	if (kept_written(s, &e) < 0)
		supervisor_say(s, M_KEPT_UNSAVED, e.text);
}

void kept_tell(struct supervisor *s)
{
	json_t *untold = kept_untold(s->kept.records), *one;
	const char *device;

	json_object_foreach(untold, device, one) {
		char object[EVENT_TEXT], when[40];

		object_text(s->gens.now->ir, device, object);
		moment_text((uint64_t)json_integer_value(json_object_get(one, "wall_ns")), when);
		policy_event_of(&s->ground, POLICY_RELEASED, s->gens.now->number,
				(struct said){ .by = json_string_value(json_object_get(one, "by")),
					       .object = object,
					       .before = when });
	}
	if (json_object_size(untold) > 0)
		save_records(s);
	json_decref(untold);
}

/*
 * Gives back the devices of `wanted` ({device: picture or null}), which is taken over. What is to
 * be given back is saved first, so that the next process goes on if this one ends. The reports go
 * into the operation's answer, and into the records as events `what`.
 */
static void give_back(struct supervisor *s, json_t *wanted, enum policy_event what, const struct ir *ir)
{
	json_t *reports = NULL, *picture;
	const char *device;

	if (json_object_size(wanted) > 0) {
		json_object_foreach(wanted, device, picture) {
			kept_going(s->kept.records, device);
		}
		save_records(s);
		reports = loan_give_back(&s->ground.spaces, wanted);
		json_object_foreach(wanted, device, picture) {
			if (!loan_stuck(reports, device))
				kept_gone(s->kept.records, device);
		}
		save_records(s);
	}
	tell_returned(s, what, ir, reports);
	if (reports != NULL && s->op.given_back == NULL)
		s->op.given_back = json_incref(reports);
	else if (reports != NULL)
		json_array_extend(s->op.given_back, reports);
	json_decref(reports);
	json_decref(wanted);
}

/*
 * After a start of the machine its cards are in the first namespace again, including those that an
 * apply had left out. These belong to the box until a person returns them, so they are moved into
 * the box unused. If the write fails, the change stays in memory, as in kept_take at a start.
 */
void kept_hold(struct supervisor *s)
{
	json_t *held = json_array(), *record;
	struct err e = { 0 };
	const char *device;

	json_object_foreach(json_object_get(s->kept.records, "devices"), device, record) {
		json_t *picture;

		if (kept_mark(record) != KEPT_RETIRED || names_device(s->gens.now->ir, device) ||
		    box_has(&s->ground.spaces, device))
			continue;
		picture = loan_read(&s->ground.spaces, device, NULL);
		if (picture == NULL)
			continue;
		if (present_counts(s, device, json_object_get(record, "picture"), picture))
			json_object_set(record, "picture", picture);
		json_decref(picture);
		json_array_append_new(held, json_text(device));
	}
	if (json_array_size(held) > 0)
		save_records(s);
	json_each(one, held)
		if (box_hold(&s->ground.spaces, json_string_value(one), &e) < 0)
			supervisor_say(s, M_KEPT_UNHELD, json_string_value(one), e.text);
	json_decref(held);
}

json_t *kept_notice(const struct supervisor *s)
{
	char list[EVENT_TEXT] = "";
	const json_t *record;
	const char *device;
	size_t at = 0;

	json_object_foreach(json_object_get(s->kept.records, "devices"), device, record) {
		const char *by = json_string_value(json_object_get(record, "by"));
		/* NULL: an older record */
		const char *when = json_string_value(json_object_get(record, "at"));

		if (!names_device(s->gens.now->ir, device) || kept_in_box(s->kept.records, device) ||
		    at >= sizeof(list))
			continue;
		at += (size_t)snprintf(list + at, sizeof(list) - at,
				       by == NULL     ? "%s%s"
				       : when == NULL ? "%s%s (%s)"
						      : "%s%s (%s, %s)",
				       at > 0 ? ", " : "", device, by, when);
	}
	return at > 0 ? json_sentence(M_BOX_RELEASED, list) : NULL;
}

json_t *kept_list(const struct supervisor *s)
{
	return json_pack("{s:o}", "kept", kept_json(s->kept.records));
}

bool kept_wants(const struct supervisor *s, const char *device)
{
	const json_t *record = kept_find(s->kept.records, device);

	if (record != NULL && kept_mark(record) != KEPT_TAKEN)
		return kept_mark(record) == KEPT_RETIRED;
	return names_device(s->gens.now->ir, device);
}

void kept_undo(struct supervisor *s, const struct ir *ir, const bool *moved, json_t *before)
{
	json_t *wanted = json_object();

	for (uint32_t i = 0; moved != NULL && i < ir->n_interfaces; i++)
		if (moved[i])
			kept_want(wanted, s->kept.records, ir_card(&ir->interfaces[i]));
	give_back(s, wanted, POLICY_GIVEN_BACK, ir);
	if (json_equal(s->kept.records, before)) {
		json_decref(before);
		return;
	}
	json_decref(s->kept.records);
	s->kept.records = before;
	save_records(s);
}

void kept_settle(struct supervisor *s, bool going_back, const struct ir *left)
{
	json_t *wanted = json_object(), *record;
	const char *device;

	json_object_foreach(json_object_get(s->kept.records, "devices"), device, record) {
		enum kept_mark m = kept_mark(record);
		bool unnamed = !names_device(s->gens.now->ir, device);
		/* True if the change that left the device out is undone now. If an earlier change
		 * left it out, it stays in the box unused. */
		bool undone = going_back && kept_left_out_by(record) > s->gens.now->number;

		if (unnamed && (m == KEPT_TAKEN || (m == KEPT_RETIRED && undone)))
			kept_want(wanted, s->kept.records, device);
		/* A released device that still has a picture was to be given back, and that was not
		 * finished. */
		if (m == KEPT_RELEASED && json_object_get(record, "picture") != NULL)
			kept_want(wanted, s->kept.records, device);
	}
	give_back(s, wanted, POLICY_GIVEN_BACK, left);
}

void kept_retire(struct supervisor *s, const struct ir *old, const struct ir *next, uint64_t by)
{
	json_t *record;
	const char *device;
	bool changed = false;

	json_object_foreach(json_object_get(s->kept.records, "devices"), device, record) {
		if (kept_mark(record) != KEPT_TAKEN || (old != NULL && !names_device(old, device)) ||
		    (next != NULL && names_device(next, device)))
			continue;
		kept_left_out(s->kept.records, device, by);
		changed = true;
	}
	if (changed)
		save_records(s);
}

/* ---- orders ---------------------------------------------------------------------------------- */

/* The interface with that card, device (a VLAN) or name. Its card is given back, with everything on
 * it. */
static const struct ir_interface *named_interface(const struct supervisor *s, const char *name)
{
	const struct ir *ir = s->gens.now->ir;

	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (strcmp(ir_card(&ir->interfaces[i]), name) == 0 || strcmp(ir->interfaces[i].device, name) == 0)
			return &ir->interfaces[i];
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (strcmp(ir->interfaces[i].name, name) == 0)
			return &ir->interfaces[i];
	return NULL;
}

/* All devices of the box, or the named one. Empty: the box has no such device. */
static json_t *asked_for(const struct supervisor *s, const char *name, bool all)
{
	const struct ir_interface *i = all ? NULL : named_interface(s, name);
	const char *device = i != NULL ? ir_card(i) : name;
	json_t *wanted;

	if (!all && i == NULL && kept_find(s->kept.records, device) == NULL)
		return json_object();
	wanted = kept_wanted(s->kept.records, all ? NULL : device);
	for (uint32_t n = 0; all && n < s->gens.now->ir->n_interfaces; n++) {
		device = ir_card(&s->gens.now->ir->interfaces[n]);
		if (kept_in_box(s->kept.records, device) && json_object_get(wanted, device) == NULL)
			kept_want(wanted, s->kept.records, device);
	}
	return wanted;
}

bool kept_release(struct supervisor *s, const char *name, bool all)
{
	/* A start or the end of a trial would go back to this policy, and take its devices without
	 * asking. NULL: there is no trial, or it cannot be read. */
	struct policy *behind = s->gens.trial.number != 0 ? policy_stored(s, s->gens.store.confirmed, NULL) : NULL;
	json_t *wanted = asked_for(s, name, all), *picture;
	bool any = all || json_object_size(wanted) > 0;
	const char *device;

	/* The next start or the end of a trial must not take a device again that a person releases
	 * now. If the policy behind the trial is unknown, this applies to every device. */
	json_object_foreach(wanted, device, picture) {
		if (names_device(s->gens.now->ir, device) ||
		    (s->gens.trial.number != 0 && (behind == NULL || names_device(behind->ir, device))))
			kept_released(s->kept.records, device, s->op.by);
	}
	policy_free(behind);
	give_back(s, wanted, POLICY_RELEASED, s->gens.now->ir);
	return any;
}

bool given_back_whole(const json_t *reports)
{
	for (size_t i = 0; i < json_array_size(reports); i++)
		if (json_array_size(json_object_get(json_array_get(reports, i), "lost")) > 0)
			return false;
	return true;
}
