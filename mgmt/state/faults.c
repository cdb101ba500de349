/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/state/faults.h"

#include <stdio.h>
#include <string.h>

#define FAULT_TEXT 400

struct faults {
	enum lang lang;
	const json_t *status;
	json_t *list, *links;
	const json_t *link; /* the link that the fault is about */
};

static void fault(struct faults *f, enum message m, const char *a, const char *b, const char *x)
{
	char text[FAULT_TEXT];

	message_text(text, sizeof(text), f->lang, m, a, b, x);
	/* A text that was cut inside a character is no valid UTF-8, and the fault must still be
	 * reported. */
	(void)json_array_append_new(f->list, json_text(text));
	(void)json_array_append_new(f->links, f->link != NULL ? json_deep_copy(f->link) : json_null());
}

void faults_zones(const json_t *interface, enum lang l, char *out, size_t size)
{
	const json_t *zones = ja(interface, "zones");
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < json_array_size(zones) && at < size; i++) {
		const json_t *z = json_array_get(zones, i);
		const char *label = js(z, "label");
		bool said = *label != '\0' && strcmp(label, js(z, "name")) != 0;

		at += (size_t)snprintf(out + at, size - at, "%s%s%s%s%s", at > 0 ? ", " : "", js(z, "name"),
				       said ? " (" : "", said ? label : "", said ? ")" : "");
	}
	if (at == 0 && js_is(interface, "space", "admin"))
		snprintf(out, size, "%s", message_format(M_STATUS_ADMIN, l));
}

static bool is_link(const json_t *interface, const char *word)
{
	return js_is(interface, "link", word);
}

/* For a VLAN on a faulty card the card is named, because a person has to look at the card. */
static bool card_fault(struct faults *f, const json_t *x, const char *name, const char *zones)
{
	const json_t *card = ja(x, "card");

	if (card == NULL || is_link(card, "up") || is_link(card, "absent"))
		return false;
	fault(f, is_link(card, "down") ? M_FAULT_CARD_DOWN : M_FAULT_CARD_CARRIER, name, zones, js(card, "device"));
	return true;
}

static void links(struct faults *f)
{
	const json_t *list = ja(f->status, "interfaces");
	char zones[200], name[120];

	json_each(x, list) {
		f->link = x;
		if (is_link(x, "up"))
			continue;
		faults_zones(x, f->lang, zones, sizeof(zones));
		snprintf(name, sizeof(name), "%s", js(x, "name"));
		if (card_fault(f, x, name, zones))
			continue;
		fault(f,
		      is_link(x, "absent") ? M_FAULT_ABSENT
		      : is_link(x, "down") ? M_FAULT_DOWN
					   : M_FAULT_CARRIER,
		      name, zones, json_is_object(ja(x, "card")) ? js(ja(x, "card"), "device") : js(x, "device"));
	}
	f->link = NULL;
	if (json_object_get(f->status, "interfaces") != NULL && list == NULL)
		fault(f, M_FAULT_INTERFACES, "", "", "");
}

/* The table already shows an interface without a link. */
static bool is_said(const struct faults *f, const char *where)
{
	const json_t *list = ja(f->status, "interfaces");

	json_each(x, list)
		if (strncmp(where, "interface ", 10) == 0 && strcmp(where + 10, js(x, "name")) == 0)
			return !is_link(x, "up");
	return false;
}

static const char *network_text(const struct faults *f, const char *what)
{
	return message_format(strcmp(what, "missing") == 0 || strcmp(what, "gone") == 0 ? M_DIFF_MISSING
			      : strcmp(what, "extra") == 0				? M_DIFF_EXTRA
			      : strcmp(what, "changed") == 0				? M_DIFF_CHANGED
											: M_DIFF_UNKNOWN,
			      f->lang);
}

static void surroundings(struct faults *f, bool foreign)
{
	const json_t *list = ja(f->status, "surroundings");

	json_each(d, list) {
		bool outside = js_is(d, "what", "foreign");

		if (outside != foreign)
			continue;
		if (outside)
			fault(f, M_FAULT_OUTSIDE, js(d, "where"), js(d, "detail"), "");
		else if (!is_said(f, js(d, "where")))
			fault(f, M_FAULT_NETWORK, js(d, "where"), network_text(f, js(d, "what")), js(d, "detail"));
	}
}

#define NEARLY(n, most) ((most) > 0 && (n)*5 >= (most)*4)

static void nearly_full(struct faults *f, enum message m, const json_t *x, const char *used, const char *most,
			const char *a, const char *b)
{
	char what[120], text[80];

	if (!NEARLY(ju(x, used), ju(x, most)))
		return;
	snprintf(what, sizeof(what), "%s/%s", a, b);
	snprintf(text, sizeof(text), "%llu / %llu", (unsigned long long)ju(x, used), (unsigned long long)ju(x, most));
	fault(f, m, what, text, "");
}

/* Reported before a share is full, because the box then refuses new sessions in this share. */
static void shares(struct faults *f)
{
	const json_t *tracking = ja(f->status, "tracking"), *zones = ja(tracking, "shares"),
		     *workers = ja(f->status, "workers");

	nearly_full(f, M_FAULT_TRACKING, tracking, "sessions", "most", "", "");
	/* Both numbers are settings; one that could not be read is 0. */
	if (ju(tracking, "most") > 0 && ju(tracking, "most") < ju(tracking, "share")) {
		char most[24], share[24];

		snprintf(most, sizeof(most), "%llu", (unsigned long long)ju(tracking, "most"));
		snprintf(share, sizeof(share), "%llu", (unsigned long long)ju(tracking, "share"));
		fault(f, M_FAULT_TRACKING_SMALL, most, share, "");
	}
	json_each(z, zones)
		nearly_full(f, M_FAULT_SHARE_ZONE, z, "sessions", "most", js(z, "zone"), js(z, "lane"));
	for (size_t i = 0; i < json_array_size(workers); i++) {
		const json_t *parts = ja(json_array_get(workers, i), "shares");

		json_each(p, parts) {
			nearly_full(f, M_FAULT_SHARE_FLOWS, p, "flows", "flows_max", js(p, "kind"),
				    js(p, "criticality"));
			nearly_full(f, M_FAULT_SHARE_POOL, p, "pool_used", "pool_bytes", js(p, "kind"),
				    js(p, "criticality"));
		}
	}
}

/* Receivers of alarms would not hear of a failing mail or inform, so it is a fault here. */
static void fault_of_outlet(struct faults *f, const char *key, enum message failing, enum message away,
			    enum message unsaved)
{
	const json_t *m = ja(f->status, key);

	if (js_is(m, "state", "away"))
		fault(f, away, js(m, "server"), "", "");
	else if (js_is(m, "state", "failing"))
		fault(f, failing, js(m, "server"), js(m, "why"), "");
	else if (*js(m, "why") != '\0')
		fault(f, unsaved, js(m, "server"), js(m, "why"), "");
}

json_t *faults_find_links(const json_t *status, enum lang l, json_t **ret_links)
{
	const json_t *kernel = ja(status, "kernel"), *g = ja(status, "generation"), *foreign = ja(status, "foreign"),
		     *settings = ja(status, "settings");
	struct faults f = { l, status, json_array(), json_array(), NULL };
	char why[CLOCK_WHY];
	const char *notice = js(ja(status, "notice"), lang_name(l));
	/* During a change (`busy`), the kernel may be between two generations, so its differences
	 * are no faults. */
	bool in_force = ju(g, "number") > 0 && !json_is_true(json_object_get(status, "busy"));

	if (*notice != '\0')
		fault(&f, M_FAULT_NOTICE, notice, "", "");
	if (in_force && json_is_false(json_object_get(kernel, "forwarding")))
		fault(&f, M_FAULT_SHUT, "", "", "");
	if (in_force && json_object_get(kernel, "digest") != NULL && !js_is(kernel, "digest", js(g, "digest")))
		fault(&f, M_FAULT_DIGEST, "", "", "");
	/* While the daemon starts, enforce has not judged the clock yet. */
	if (json_array_size(ja(ja(status, "clock"), "waiting")) > 0 &&
	    (!js_is(ja(status, "clock"), "waits", "daemon") || !json_is_true(json_object_get(status, "busy"))))
		fault(&f, M_FAULT_CLOCK, clock_why(ja(status, "clock"), l, why), "", "");
	if (json_is_false(json_object_get(ja(status, "journal"), "signs")))
		fault(&f, M_FAULT_UNSIGNED, "", "", "");
	links(&f);
	for (size_t i = 0; i < json_array_size(foreign); i++)
		fault(&f, M_FAULT_FOREIGN, json_string_value(json_array_get(foreign, i)), "", "");
	surroundings(&f, true);
	surroundings(&f, false);
	json_each(s, settings)
		fault(&f, M_FAULT_SETTING, js(s, "name"), js(s, "is"), js(s, "want"));
	shares(&f);
	fault_of_outlet(&f, "mail", M_FAULT_MAIL, M_FAULT_MAIL_AWAY, M_FAULT_MAIL_UNSAVED);
	fault_of_outlet(&f, "snmp", M_FAULT_SNMP, M_FAULT_SNMP_AWAY, M_FAULT_SNMP_UNSAVED);
	*ret_links = f.links;
	return f.list;
}

json_t *faults_find(const json_t *status, enum lang l)
{
	json_t *links, *list = faults_find_links(status, l, &links);

	json_decref(links);
	return list;
}

const char *clock_why(const json_t *clock, enum lang l, char out[CLOCK_WHY])
{
	const enum message *why = word_message("clock", js(clock, "waits"));
	char latest[RENDER_TEXT];

	render_time(js(clock, "latest"), latest);
	snprintf(out, CLOCK_WHY, "%s", js(clock, "waits"));
	if (why != NULL)
		message_text(out, CLOCK_WHY, l, *why, *latest != '\0' ? latest : "-");
	return out;
}
