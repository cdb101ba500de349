/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/state/alarms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/attack.h"
#include "appliance/wire/hours.h"
#include "mgmt/state/faults.h"
#include "mgmt/state/journal.h"
#include "mgmt/state/stand.h"

#define KEY_TEXT 500
#define MACHINES 8u /* machines of a zone that are named */
#define MEGABYTE 1000000u
#define ALARM_TEXT 500
#define ATTACK_TEXT 1200 /* bytes: two ends, and a first step */
/* rsyslogd saves its position every 16 records, and goes back by 16 at a start. So up to 31 of the
 * waiting records may have been sent already (docs/json.md) */
#define LOG_SEEN 31u

static json_t *in_both(enum message m)
{
	return json_pack("{s:s, s:s}", "en", message_format(m, LANG_EN), "ja", message_format(m, LANG_JA));
}

static json_t *alarm(const char *key, bool grave, const char *since, const char *en, const char *ja_text)
{
	return json_pack("{s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "key", json_text(key), "grave", (int)grave, "since",
			 json_text(since), "en", json_text(en), "ja", json_text(ja_text), "machines", json_array(),
			 "contacts", json_array());
}

/* Adds the names of machines that the last alarm of the list affects. */
static void add_touched(json_t *list, const json_t *names)
{
	json_t *last = json_array_get(list, json_array_size(list) - 1);

	json_each(name, names)
		(void)json_array_append_new(json_object_get(last, "machines"), json_text(json_string_value(name)));
}

/* Adds whom to tell of the last alarm of the list. */
static void add_contact(json_t *list, const char *contact)
{
	json_t *last = json_array_get(list, json_array_size(list) - 1);

	if (*contact != '\0')
		(void)json_array_append_new(json_object_get(last, "contacts"), json_text(contact));
}

static void add_contacts(json_t *list, const json_t *contacts)
{
	json_each(one, contacts)
		add_contact(list, json_string_value(one));
}

static void touches_one(json_t *list, const char *label, const char *name)
{
	json_t *last = json_array_get(list, json_array_size(list) - 1);

	(void)json_array_append_new(json_object_get(last, "machines"), json_text(*label != '\0' ? label : name));
}

static void add_alarm(json_t *list, const char *key, bool grave, const char *since, enum message m, const char *en,
		      const char *ja_text)
{
	char texts[2][ALARM_TEXT];

	message_text(texts[LANG_EN], ALARM_TEXT, LANG_EN, m, en);
	message_text(texts[LANG_JA], ALARM_TEXT, LANG_JA, m, ja_text);
	(void)json_array_append_new(list, alarm(key, grave, since, texts[LANG_EN], texts[LANG_JA]));
}

/* Adds an alarm with two numbers in its text, the same in both languages. */
static void add_counted(json_t *list, const char *key, bool grave, const char *since, enum message m,
			unsigned long long a, unsigned long long b)
{
	char texts[2][ALARM_TEXT];

	for (unsigned l = 0; l < LANGUAGES; l++)
		message_text(texts[l], ALARM_TEXT, (enum lang)l, m, a, b);
	(void)json_array_append_new(list, alarm(key, grave, since, texts[LANG_EN], texts[LANG_JA]));
}

static void of_policy(json_t *list, const json_t *status)
{
	const json_t *g = ja(status, "generation");

	if (js_is(g, "state", "waiting"))
		add_alarm(list, "trial", false, js(g, "applied"), M_ALARM_TRIAL, "", "");
	else if (!js_is(g, "state", "confirmed"))
		add_alarm(list, "policy", true, "", M_ALARM_NO_POLICY, "", "");
}

/* An isolation is an alarm while it lasts, so that people who come later do not take it for a
 * fault. */
static void of_isolations(json_t *list, const json_t *status)
{
	const json_t *isolations = ja(status, "isolations");
	char key[KEY_TEXT];

	json_each(o, isolations) {
		const char *what = js(o, "what"), *label = *js(o, "label") != '\0' ? js(o, "label") : what;
		bool all = strcmp(what, "everything") == 0;

		snprintf(key, sizeof(key), "isolated %s", what);
		add_alarm(list, key, true, js(o, "since"), all ? M_ALARM_ISOLATED_ALL : M_ALARM_ISOLATED, label, label);
		add_touched(list, ja(o, "machines"));
		add_contacts(list, ja(o, "contacts"));
	}
}

/* Adds "+4": the number of machines that were not named. */
static void touches_more(json_t *list, unsigned long long all, size_t named)
{
	char more[32];

	snprintf(more, sizeof(more), "+%llu", all - named);
	if (all > named)
		touches_one(list, more, "");
}

/* An end of a door's conduit: its machines, or its zone. */
static void touches_end(json_t *list, const json_t *end)
{
	add_touched(list, ja(end, "hosts"));
	touches_more(list, ju(end, "hosts_all"), json_array_size(ja(end, "hosts")));
	if (json_array_size(ja(end, "hosts")) == 0)
		touches_one(list, js(end, "label"), js(end, "zone"));
}

/* Each use of a break-glass door, until somebody has reviewed it. */
static void of_doors(json_t *list, const json_t *status)
{
	const json_t *doors = ja(status, "doors");
	char key[KEY_TEXT];

	json_each(d, doors) {
		const json_t *uses = ja(d, "uses");
		const char *label = *js(d, "label") != '\0' ? js(d, "label") : js(d, "door");

		json_each(u, uses) {
			if (!jb(u, "unreviewed"))
				continue;
			snprintf(key, sizeof(key), "glass %s %s", js(d, "door"), js(u, "since"));
			add_alarm(list, key, true, js(u, "since"), M_ALARM_GLASS, label, label);
			for (size_t c = 0; c < json_array_size(ja(d, "conduits")); c++)
				touches_end(list, ja(json_array_get(ja(d, "conduits"), c), "to"));
		}
	}
}

static void of_roles(json_t *list, const json_t *status)
{
	const json_t *roles = ja(status, "roles");

	json_each(r, roles) {
		bool down = !js_is(r, "state", "running");
		char en[RENDER_TEXT], japanese[RENDER_TEXT], key[KEY_TEXT];

		/* A compiler only runs while it compiles, so its absence is no fault. */
		if (js_is(r, "role", "compile") || (!down && !stand_silent(status, r)))
			continue;
		snprintf(key, sizeof(key), "%s %s/%llu", down ? "role" : "silent", js(r, "role"), ju(r, "index"));
		add_alarm(list, key, true, down ? js(r, "since") : "", down ? M_ALARM_ROLE : M_ALARM_SILENT,
			  stand_role(r, LANG_EN, en), stand_role(r, LANG_JA, japanese));
	}
}

/* Large numbers change while the same thing is wrong, so the key leaves them out. */
static void key_of(const char *text, char key[KEY_TEXT])
{
	size_t n = (size_t)snprintf(key, KEY_TEXT, "fault ");

	while (*text != '\0' && n < KEY_TEXT - 1) {
		size_t digits = strspn(text, "0123456789");

		if (digits > 3) {
			key[n++] = '#';
			text += digits;
		} else {
			key[n++] = *text++;
		}
	}
	key[n] = '\0';
}

/* The machines behind an interface. */
static void touches_behind(json_t *list, const json_t *interface)
{
	const json_t *zones = ja(interface, "zones");

	json_each(zone, zones) {
		const json_t *assets = ja(zone, "assets");
		size_t i = 0;

		for (; i < json_array_size(assets) && i < MACHINES; i++)
			touches_one(list, js(json_array_get(assets, i), "label"),
				    js(json_array_get(assets, i), "name"));
		touches_more(list, ju(zone, "assets_all"), i);
		if (json_array_size(assets) == 0)
			touches_one(list, js(zone, "label"), js(zone, "name"));
		add_contact(list, js(zone, "contact"));
	}
}

static void of_faults(json_t *list, const json_t *status)
{
	json_t *links, *en = faults_find_links(status, LANG_EN, &links), *japanese = faults_find(status, LANG_JA);
	char key[KEY_TEXT];

	for (size_t i = 0; i < json_array_size(en); i++) {
		const char *text = json_string_value(json_array_get(en, i));

		key_of(text, key);
		(void)json_array_append_new(list,
					    alarm(key, true, "", text, json_string_value(json_array_get(japanese, i))));
		touches_behind(list, json_array_get(links, i));
		/* A dead card is no matter of cables. */
		if (js_is(json_array_get(links, i), "link", "absent"))
			json_object_set_new(json_array_get(list, json_array_size(list) - 1), "step",
					    in_both(M_STEP_CARD));
	}
	json_decref(links);
	json_decref(en);
	json_decref(japanese);
}

static void of_records(json_t *list, const json_t *status)
{
	const json_t *j = ja(status, "journal"), *log = ja(status, "log"), *disk = ja(j, "disk");

	if (*js(j, "trouble") != '\0') {
		char *en = lost_text(LANG_EN, js(j, "trouble")), *japanese = lost_text(LANG_JA, js(j, "trouble"));

		add_alarm(list, "trouble", true, js(j, "last"), M_ALARM_TROUBLE, en != NULL ? en : "",
			  japanese != NULL ? japanese : "");
		free(en);
		free(japanese);
	}
	if (ju(j, "waiting") + ju(j, "left_out") > 0)
		add_counted(list, "room", true, "", M_ALARM_ROOM, ju(j, "waiting"), ju(j, "left_out"));
	/* Records that wait for room already make an alarm. */
	else if (jb(disk, "nearly_full"))
		add_counted(list, "disk", false, js(disk, "since"),
			    ju(disk, "full_in_s") > 0 ? M_ALARM_DISK_DAYS : M_ALARM_DISK, ju(disk, "used_percent"),
			    ju(disk, "full_in_s") > 0 ? (ju(disk, "full_in_s") + 3599) / 3600
						      : ju(disk, "free") / MEGABYTE);
	if (ju(j, "lost") > 0)
		add_counted(list, "lost", false, "", M_ALARM_LOST, ju(j, "lost"), 0);
	if (jb(j, "holds_damaged"))
		add_alarm(list, "holds", true, "", M_ALARM_HOLDS, "", "");
	if (jb(j, "held") && ju(j, "waiting") + ju(j, "left_out") > 0)
		add_alarm(list, "held", true, "", M_ALARM_HELD, "", "");
	if (jb(j, "stuck"))
		add_alarm(list, "stuck", false, "", M_ALARM_STUCK, "", "");
	if (ju(log, "waiting") > LOG_SEEN)
		add_counted(list, "log", false, js(log, "since"), M_ALARM_LOG, ju(log, "waiting"), 0);
}

static void of_surroundings(json_t *list, const json_t *status)
{
	const json_t *clock = ja(status, "clock"), *u = ja(status, "ups"), *drift = ja(status, "drift");
	const enum message *ups = word_message("ups_alarm", js(u, "state"));
	char key[KEY_TEXT];

	/* The change was undone, but people should know that somebody made it. */
	if (ju(drift, "seen") > 0)
		add_counted(list, "drift", false, js(drift, "last"), M_ALARM_DRIFT, ju(drift, "seen"), 0);
	if (jb(clock, "sources") && json_is_false(json_object_get(clock, "synchronised")))
		add_alarm(list, "clock", false, js(clock, "since"), M_ALARM_SOURCES, "", "");
	if (ups != NULL) {
		snprintf(key, sizeof(key), "ups %s", js(u, "state"));
		add_alarm(list, key, true, js(u, *js(u, "since") != '\0' ? "since" : "away_since"), *ups, "", "");
	}
}

/* Each device that nobody has reviewed is an alarm of its own, so that receivers of alarms are
 * told; if there are too many, one more alarm says so. */
static void of_devices(json_t *list, const json_t *status)
{
	const json_t *d = ja(ja(status, "journal"), "devices"), *unknown = ja(d, "unknown");
	const enum message *anew = word_message("devices_alarm", js(d, "anew"));
	char key[KEY_TEXT];

	json_each(o, unknown) {
		const char *state = js(o, "state");

		snprintf(key, sizeof(key), "device %llu", ju(o, "number"));
		add_alarm(list, key, true, js(o, "since"),
			  strcmp(state, "elsewhere") == 0	? M_ALARM_DEVICE_ELSEWHERE
			  : strcmp(state, "address_moved") == 0 ? M_ALARM_DEVICE_MOVED
								: M_ALARM_DEVICE,
			  js(o, "device"), js(o, "device"));
	}
	if (json_array_size(unknown) > 0 && ju(d, "new") > json_array_size(unknown))
		add_alarm(list, "devices more", true, "", M_ALARM_DEVICES_MORE, "", "");
	if (ju(d, "beyond") > 0 && *js(d, "reviewed") != '\0')
		add_alarm(list, "devices beyond", true, "", M_ALARM_DEVICES_BEYOND, "", "");
	/* A box's first list is not among these: it is reported below, and only when its review is
	 * overdue. */
	if (anew != NULL)
		add_alarm(list, "devices anew", true, js(d, "began"), *anew, "", "");
	if (jb(d, "overdue") && (*js(d, "anew") == '\0' || js_is(d, "anew", "first") || js_is(d, "anew", "restored")))
		add_alarm(list, "devices learning", false, js(d, "began"), M_ALARM_DEVICES_LEARNING, "", "");
}

/* As for devices, each listed server with weak TLS is an alarm of its own. All servers of a conduit
 * that are not listed make one alarm together. */
static void of_weak(json_t *list, const json_t *status)
{
	const json_t *w = ja(ja(status, "journal"), "weak"), *alarms = ja(w, "alarms");

	json_each(o, alarms) {
		const char *server = js(o, "server"), *conduit = js(o, "conduit");
		char texts[2][ALARM_TEXT], what[WEAKNESS_TEXT], key[KEY_TEXT];

		for (unsigned l = 0; l < LANGUAGES; l++) {
			weakness_text(ja(o, "weak"), (enum lang)l, what);
			if (*server != '\0')
				message_text(texts[l], ALARM_TEXT, (enum lang)l, M_ALARM_WEAK, server, what);
			else
				message_text(texts[l], ALARM_TEXT, (enum lang)l, M_ALARM_WEAK_REST, conduit);
		}
		snprintf(key, sizeof(key), *server != '\0' ? "weak %s" : "weak conduit %s",
			 *server != '\0' ? server : conduit);
		(void)json_array_append_new(list, alarm(key, false, js(o, "first"), texts[LANG_EN], texts[LANG_JA]));
	}
	if (ju(w, "new") > json_array_size(alarms) || ju(w, "beyond") > 0)
		add_alarm(list, "weak more", false, "", M_ALARM_WEAK_MORE, "", "");
	if (jb(w, "damaged"))
		add_alarm(list, "weak damaged", false, "", M_ALARM_WEAK_DAMAGED, "", "");
}

static json_t *attack_said(const char *(*said)(unsigned cause, const char *lang), unsigned cause)
{
	return json_pack("{s:s, s:s}", "en", said(cause, "en"), "ja", said(cause, "ja"));
}

/* The isolations that the policy has prepared for such an alarm. A person looks at the rehearsal,
 * and orders them. */
static json_t *offers_for(const json_t *status, unsigned cause)
{
	const json_t *prepared = ja(status, "prepared");
	json_t *offers = json_array();

	json_each(one, prepared)
		json_each(word, ja(one, "on_alarm"))
			if (strcmp(json_string_value(word), attack_word(cause)) == 0)
				(void)json_array_append(offers, json_object_get(one, "name"));
	return offers;
}

/* Adds to the sentences how a person carries out what is offered. */
static void say_offers(json_t *alarm, const json_t *offers)
{
	for (unsigned l = 0; l < LANGUAGES; l++)
		json_each(name, offers) {
			char more[ALARM_TEXT], text[ATTACK_TEXT + ALARM_TEXT];

			message_text(more, sizeof(more), (enum lang)l, M_ALARM_OFFER, json_string_value(name));
			snprintf(text, sizeof(text), "%s%s", js(alarm, lang_name((enum lang)l)), more);
			json_object_set_new(alarm, lang_name((enum lang)l), json_text(text));
		}
}

/* `sources`: what a person would isolate, if the work there is not known. */
static void add_attack_words(json_t *alarm, unsigned cause, const char *from)
{
	json_object_set_new(alarm, "title", attack_said(attack_title, cause));
	json_object_set_new(alarm, "step", attack_said(attack_step, cause));
	json_object_set_new(alarm, "sources", json_pack(*from != '\0' ? "[s]" : "[]", from));
}

/* One alarm for each sign of an attack that sounds. Its key changes when the sign sounds again, so
 * that receivers are told again. */
static void of_attacks(json_t *list, const json_t *status)
{
	const json_t *a = ja(ja(status, "journal"), "attacks"), *alarms = ja(a, "alarms");

	json_each(o, alarms) {
		unsigned cause = attack_by_word(js(o, "attack"));
		char texts[2][ATTACK_TEXT], counts[ALARM_TEXT], last[RENDER_TEXT], key[KEY_TEXT];
		json_t *one;

		render_time(js(o, "last"), last);
		for (unsigned l = 0; l < LANGUAGES; l++) {
			const char *unknown = message_format(M_ATTACK_UNKNOWN, (enum lang)l),
				   *name = lang_name((enum lang)l);

			counts[0] = '\0';
			if (cause == ATTACK_SPOOFED && ju(o, "places") > 1)
				message_text(counts, sizeof(counts), (enum lang)l, M_ALARM_ATTACK_FORGED,
					     ju(o, "places"));
			else if (ju(o, "hosts") > 1 || ju(o, "places") > 1)
				message_text(counts, sizeof(counts), (enum lang)l, M_ALARM_ATTACK_SUM, ju(o, "hosts"),
					     ju(o, "places"));
			message_text(texts[l], ATTACK_TEXT, (enum lang)l, M_ALARM_ATTACK,
				     jb(o, "test") ? message_format(M_ATTACK_TEST, (enum lang)l) : "",
				     attack_text(cause, name), *js(o, "from") != '\0' ? js(o, "from") : unknown,
				     attack_end(cause, name), *js(o, "to") != '\0' ? js(o, "to") : unknown,
				     ju(o, "count"), counts, last, attack_step(cause, name));
		}
		snprintf(key, sizeof(key), "attack %llu/%llu", ju(o, "number"), ju(o, "rung"));
		(void)json_array_append_new(list, alarm(key, jb(o, "grave") && !jb(o, "test"), js(o, "first"),
							texts[LANG_EN], texts[LANG_JA]));
		/* A machine whose address others forge is not the one to act on. */
		if (*js(o, "to") != '\0' && cause != ATTACK_SPOOFED)
			touches_one(list, js(o, "to"), "");
		if (*js(o, "from") != '\0' && !js_is(o, "from", js(o, "to")))
			touches_one(list, js(o, "from"), "");
		one = json_array_get(list, json_array_size(list) - 1);
		add_attack_words(one, cause, js(o, "from"));
		add_contacts(list, ja(o, "contacts"));
		json_object_set_new(one, "offers", offers_for(status, cause));
		say_offers(one, ja(one, "offers"));
	}
	if (ju(a, "ringing") > json_array_size(alarms))
		add_alarm(list, "attacks more", true, "", M_ALARM_ATTACKS_MORE, "", "");
	if (json_array_size(ja(a, "test_missed")) > 0)
		add_alarm(list, "attacks test", true, js(a, "tested"), M_ALARM_ATTACKS_TEST, "", "");
	if (jb(a, "damaged"))
		add_alarm(list, "attacks damaged", true, "", M_ALARM_ATTACKS_DAMAGED, "", "");
}

static void of_accounts(json_t *list, const json_t *status)
{
	if (jb(ja(status, "accounts"), "leaked_damaged"))
		add_alarm(list, "leaked", false, "", M_ALARM_LEAKED, "", "");
	if (js_is(ja(status, "mgmt"), "token", "none"))
		add_alarm(list, "token", false, "", M_ALARM_TOKEN, "", "");
}

/* Adds an alarm about a conduit of the status, and names its machines. */
static void add_conduit(json_t *list, const char *key, bool grave, enum message m, const json_t *conduit,
			const char *when)
{
	char name[KEY_TEXT], texts[2][ALARM_TEXT];

	for (unsigned l = 0; l < LANGUAGES; l++) {
		render_conduit(conduit, (enum lang)l, name, sizeof(name));
		message_text(texts[l], ALARM_TEXT, (enum lang)l, m, name, when);
	}
	(void)json_array_append_new(list, alarm(key, grave, js(conduit, "since"), texts[LANG_EN], texts[LANG_JA]));
	add_touched(list, ja(conduit, "machines"));
	add_contacts(list, ja(conduit, "contacts"));
}

/* Conduits with heard_within that are silent. */
static void of_silence(json_t *list, const json_t *status)
{
	const json_t *x = ja(status, "expected"), *silent = ja(x, "conduits");
	char key[KEY_TEXT], span[SECONDS_TEXT];

	json_each(o, silent) {
		snprintf(key, sizeof(key), "conduit %s", js(o, "conduit"));
		seconds_text(ju(o, "within_s"), span);
		add_conduit(list, key, true, jb(o, "heard") ? M_ALARM_CONDUIT : M_ALARM_CONDUIT_NEVER, o, span);
	}
	if (ju(x, "silent") > json_array_size(silent))
		add_alarm(list, "conduits more", true, "", M_ALARM_CONDUITS_MORE, "", "");
	if (jb(x, "unread"))
		add_alarm(list, "conduits unread", true, "", M_ALARM_CONDUITS_UNREAD, "", "");
}

/* One alarm for all lanes, because what stopped a worker stopped all its lanes; and one for the
 * tap. */
static void of_losses(json_t *list, const json_t *status)
{
	const json_t *u = ja(status, "uninspected"), *t = ja(status, "unheard");

	if (jb(u, "now"))
		add_counted(list, "uninspected", true, js(u, "since"), M_ALARM_UNINSPECTED, ju(u, "dropped"),
			    ju(u, "passed"));
	if (jb(t, "now"))
		add_counted(list, "unheard", true, js(t, "since"), M_ALARM_UNHEARD, ju(t, "packets"), 0);
}

/* One alarm for each conduit, so that receivers of alarms know whom to ask. */
static void of_ends(json_t *list, const json_t *status)
{
	const json_t *x = ja(status, "ending"), *near = ja(x, "conduits");
	char key[KEY_TEXT], when[RENDER_TEXT];

	json_each(o, near) {
		/* A conduit that was extended and is near its end again makes a new alarm. */
		snprintf(key, sizeof(key), "ends %s %s", js(o, "conduit"), js(o, "until"));
		render_time(js(o, "until"), when);
		add_conduit(list, key, false, M_ALARM_ENDS, o, when);
	}
	if (ju(x, "near") > json_array_size(near))
		add_alarm(list, "ends more", false, "", M_ALARM_ENDS_MORE, "", "");
}

/* One alarm for each file. The key has the certificate's dates, so a new certificate that also ends
 * soon makes a new alarm. */
static void of_certificates(json_t *list, const json_t *status)
{
	static const struct {
		const char *state, *when;
		bool grave;
		enum message m;
	} dated[] = { { "near", "until", false, M_ALARM_CERTIFICATE_ENDS },
		      { "close", "until", true, M_ALARM_CERTIFICATE_ENDS },
		      { "ended", "until", true, M_ALARM_CERTIFICATE_ENDED },
		      { "not_yet", "from", true, M_ALARM_CERTIFICATE_NOT_YET } };
	const json_t *all = ja(status, "certificates");
	char key[KEY_TEXT], when[RENDER_TEXT], texts[2][ALARM_TEXT];

	json_each(o, all) {
		const json_t *about = json_array_get(ja(o, "list"), ju(o, "about"));
		bool unreadable = js_is(o, "state", "unreadable");
		size_t d = 0;

		while (d < sizeof(dated) / sizeof(dated[0]) && !js_is(o, "state", dated[d].state))
			d++;
		if (!unreadable && d == sizeof(dated) / sizeof(dated[0]))
			continue;
		render_time(unreadable ? "" : js(about, dated[d].when), when);
		for (unsigned l = 0; l < LANGUAGES; l++) {
			const char *use = word_text("certificate_use", js(o, "use"), (enum lang)l);

			if (unreadable)
				message_text(texts[l], ALARM_TEXT, (enum lang)l, M_ALARM_CERTIFICATE_UNREADABLE, use,
					     word_text("certificate_why", js(o, "why"), (enum lang)l), js(o, "file"));
			else
				message_text(texts[l], ALARM_TEXT, (enum lang)l, dated[d].m, use, when);
		}
		snprintf(key, sizeof(key), "certificate %s %s %s", js(o, "use"), js(o, "state"),
			 unreadable ? js(o, "why") : js(about, dated[d].when));
		(void)json_array_append_new(
			list, alarm(key, unreadable || dated[d].grave, js(o, "since"), texts[LANG_EN], texts[LANG_JA]));
	}
}

/* One alarm for all overdue entries, because their dates are often the same. */
static void of_reviews(json_t *list, const json_t *status)
{
	const json_t *r = ja(status, "reviews");

	if (ju(r, "overdue") > 0)
		add_counted(list, "reviews", false, js(r, "since"), M_ALARM_REVIEWS, ju(r, "overdue"), 0);
}

static void of_backup(json_t *list, const json_t *status)
{
	const json_t *b = ja(status, "backup");

	if (jb(b, "overdue"))
		add_counted(list, "backup", false, js(b, "since"), M_ALARM_BACKUP, ju(b, "days"), 0);
	json_each(c, ja(b, "carried")) {
		bool stick = js_is(c, "to", "stick");

		if (jb(c, "overdue"))
			add_counted(list, stick ? "backup stick" : "backup server", false, js(c, "since"),
				    stick ? M_ALARM_BACKUP_STICK : M_ALARM_BACKUP_SERVER, ju(c, "every"), 0);
	}
}

/* Adds what the kind of an alarm says: its title, and the first step of a person. */
static void add_words(json_t *list)
{
	json_each(a, list) {
		const enum message *step, *title;
		char first[KEY_TEXT];

		snprintf(first, sizeof(first), "%.*s", (int)strcspn(js(a, "key"), " "), js(a, "key"));
		title = word_message("title", first);
		if (title != NULL)
			json_object_set_new(a, "title", in_both(*title));
		step = word_message("step", first);
		/* Machines are named only if the fault is one of a link: then the step is that for
		 * a link. */
		if (json_object_get(a, "step") == NULL)
			json_object_set_new(
				a, "step",
				step == NULL ? json_null()
					     : in_both(*step == M_STEP_FAULT && json_array_size(ja(a, "machines")) > 0
							       ? M_STEP_LINK
							       : *step));
	}
}

json_t *alarms_find(const json_t *status)
{
	static void (*const kinds[])(json_t * list, const json_t *status) = {
		of_policy,	 of_isolations, of_doors,	 of_roles,   of_faults,	  of_records,
		of_surroundings, of_devices,	of_weak,	 of_attacks, of_accounts, of_silence,
		of_losses,	 of_ends,	of_certificates, of_reviews, of_backup
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		kinds[i](list, status);
	add_words(list);
	return list;
}

json_t *alarm_of_no_daemon(void)
{
	return alarm("daemon", true, "", message_format(M_ALARM_DAEMON, LANG_EN),
		     message_format(M_ALARM_DAEMON, LANG_JA));
}

const char *certificate_state(const json_t *certificate, enum lang l, char out[CERTIFICATE_TEXT])
{
	const char *state = js(certificate, "state");

	if (strcmp(state, "unreadable") == 0)
		message_text(out, CERTIFICATE_TEXT, l, M_CERTIFIED_UNREADABLE,
			     word_text("certificate_why", js(certificate, "why"), l));
	else
		snprintf(out, CERTIFICATE_TEXT, "%s", word_text("certificate", state, l));
	return out;
}
