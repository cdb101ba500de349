/* SPDX-License-Identifier: Apache-2.0 */
/* What does not hold, in words: one form for all messages. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "appliance/wire/hours.h"
#include "appliance/wire/vocabulary.h"
#include "policy/space/prove.h"

/* "10.10.0.5 -> 10.30.1.10 tcp/502"; returns what snprintf does. */
static int packet_text(const struct addr *source, const struct addr *destination, uint8_t l4proto, uint16_t port,
		       char *out, size_t size)
{
	bool icmp = l4proto == IPPROTO_ICMP || l4proto == IPPROTO_ICMPV6;
	char from[ADDR_TEXT], to[ADDR_TEXT];

	addr_text(source, from);
	addr_text(destination, to);
	return snprintf(out, size, "%s -> %s %s/%u", from, to,
			icmp			 ? "icmp"
			: l4proto == IPPROTO_UDP ? "udp"
						 : "tcp",
			icmp ? (unsigned)port >> 8 : (unsigned)port);
}

void lapse_text(const struct lapse *x, char *out, size_t size)
{
	int n = packet_text(&x->source, &x->destination, x->l4proto, x->port, out, size);

	if (n >= 0 && (size_t)n < size)
		(void)snprintf(out + n, size - (size_t)n, ", %s", x->service->name);
}

void never_end_text(const struct model_zone *zone, const struct model_hosts *h, char *out, size_t size)
{
	if (h->n_assets == 0)
		(void)snprintf(out, size, "%s", zone->name);
	else if (h->n_assets == 1)
		(void)snprintf(out, size, "%s (%s)", zone->name, h->assets[0]->name);
	else
		(void)snprintf(out, size, "%s (%s +%zu)", zone->name, h->assets[0]->name, h->n_assets - 1);
}

/* Appends a piece. */
static void when_add(char *out, size_t size, const char *between, const char *piece)
{
	size_t n = strlen(out);

	(void)snprintf(out + n, size - n, "%s%s", n > 0 ? between : "", piece);
}

void window_print(FILE *to, const struct window *w, const char *zone)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	const char *between = "";

	for (unsigned d = 0; d < 7 && w->days != WEEK_DAYS; d++)
		if ((w->days >> (d + 1) % 7 & 1) != 0) {
			fprintf(to, "%s%s", between, days[d]);
			between = ",";
		}
	fprintf(to, "%s%02u:%02u-%02u:%02u%s%s", *between != '\0' ? " " : "", w->from / 60u, w->from % 60u, w->to / 60u,
		w->to % 60u, *zone != '\0' ? " " : "", zone);
}

static void day_print(FILE *to, const char *before, uint32_t day)
{
	time_t t = (time_t)day * 86400;
	char text[16];
	struct tm tm;

	if (gmtime_r(&t, &tm) != NULL && strftime(text, sizeof(text), "%Y-%m-%d", &tm) > 0)
		fprintf(to, "%s%s", before, text);
}

void window_dates_print(FILE *to, const struct window *w, uint32_t most)
{
	if (w->first != 0)
		day_print(to, ", first ", w->first);
	if (w->last != 0)
		day_print(to, ", last ", w->last);
	for (uint32_t i = 0; i < w->n_except && i < most; i++)
		day_print(to, i == 0 ? ", except " : " ", w->except[i]);
	if (w->n_except > most)
		fprintf(to, " +%u", w->n_except - most);
}

static void window_text(const struct model *m, const struct window *w, char *out, size_t size)
{
	const char *zone = m->time_zone[0] == '<' ? m->time_zone + 1 : m->time_zone;
	char name[16];
	FILE *to = fmemopen(out, size, "w");

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(zone, m->time_zone[0] == '<' ? ">" : "+-0123456789"),
		       zone);
	if (to == NULL)
		return;
	window_print(to, w, name);
	(void)fclose(to);
}

void conduit_when_text(const struct model *m, const struct model_conduit *c, char *out, size_t size)
{
	const struct window *w = c->within != NULL ? &c->within->when : NULL;
	uint64_t first = w != NULL && w->first != 0 ? time_zone_moment(&m->zone, w->first, w->from) : 0;
	char from[MOMENT_FOR_PEOPLE] = "", to[MOMENT_FOR_PEOPLE] = "", span[96];

	out[0] = '\0';
	if (w != NULL)
		window_text(m, w, out, size);
	first = first > c->starts ? first : c->starts;
	if (first != 0)
		minute_text(first, from);
	if (c->until != 0)
		minute_text(c->until, to);
	(void)snprintf(span, sizeof(span), "%s%s-%s%s", from, from[0] != '\0' ? " " : "", to[0] != '\0' ? " " : "", to);
	if (from[0] != '\0' || to[0] != '\0')
		when_add(out, size, ", ", span);
	if (c->door != NULL) {
		(void)snprintf(span, sizeof(span), "door %s", c->door->name);
		when_add(out, size, ", ", span);
	}
}

void counterexample_text(const struct counterexample *x, enum lang l, char *out, size_t size)
{
	const char *protocol = protocol_info(x->service->protocol)->name;
	const struct vocabulary *v = vocabulary_of(x->service->protocol);
	const struct function_info *f =
		v != NULL && x->function >= 0 ? function_by_code(v, (uint32_t)x->function) : NULL;
	char code[CODE_TEXT];
	int n = packet_text(&x->source, &x->destination, x->l4proto, x->port, out, size);

	if (n < 0 || (size_t)n >= size)
		return;
	out += n;
	size -= (size_t)n;
	if (x->function >= 0)
		code_text(v, (uint64_t)x->function, code);
	if (f != NULL)
		message_text(out, size, l, M_PROVE_FUNCTION, protocol, f->name, code);
	else if (x->function >= 0)
		message_text(out, size, l, M_PROVE_CODE, protocol, code);
	else
		message_text(out, size, l, M_PROVE_ANYTHING, protocol);
}
