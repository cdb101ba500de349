/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lives that are also lived by the real daemon in namespaces (tests/netns/script): script.txt has
 * their steps, and what is seen after each one. Both halves print what they see in the same words.
 *
 *   test_script               every life must be as in the file
 *   test_script LIFE          prints the file's life as it is here
 *   test_script --texts DIR   writes the texts of the policies, for the other half
 *
 * LINK: $(LIFE_SRC)
 * LIBS: jansson nettle libconfig libseccomp
 */
#include "tests/unit/cmocka.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/json.h"
#include "appliance/role/roles.h"
#include "appliance/wire/event_words.h"
#include "appliance/wire/orders.h"
#include "policy/ir/evaluate.h"
#include "policy/ir/ir.h"
#include "tests/life/life.h"
#include "tests/life/machine.h"
#include "tests/life/sound.h"

#define SCRIPT "tests/life/script.txt"
#define LINE_MOST 400u
#define LIVES_MOST 16u
#define TRANSCRIPT_MOST (1u << 16)

/* ---- what is seen ---------------------------------------------------------------------------- */

/* What a person sees who asks control, and then what is seen from outside. */
enum fact {
	FACT_DAEMON,
	FACT_GENERATION,
	FACT_ROLES,
	FACT_ISOLATED,
	FACT_DOORS,
	FACT_CLOCK,
	FACT_NOTICE,
	FACT_HISTORY,
	FACT_RULES,
	FACT_APART,
	FACT_CARDS,
	FACT_DISK,
	FACTS
};

static const char *const fact_names[FACTS] = {
	"daemon", "generation", "roles", "isolated", "doors", "clock",
	"notice", "history",	"rules", "apart",    "cards", "disk",
};

/* As printed last: only what has changed is printed. */
static char known[FACTS][LINE_MOST];
static unsigned records_before[EVENT_KIND_COUNT][256], role_records_before[ROLE_COUNT][256];

static void add(char *to, const char *form, ...) __attribute__((format(printf, 2, 3)));

/* One more word of a list. */
static void add(char *to, const char *form, ...)
{
	size_t n = strlen(to);
	va_list a;

	if (n > 0 && n + 2 < LINE_MOST) {
		strcpy(to + n, ", ");
		n += 2;
	}
	va_start(a, form);
	(void)vsnprintf(to + n, LINE_MOST - n, form, a);
	va_end(a);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Puts the words of a list into the order of their letters, without those that are there twice or
 * in another list. */
static void put_in_order(char *list, const char *without)
{
	const char *words[64];
	char copy[LINE_MOST], *rest = copy, *word;
	size_t n = 0;

	strcpy(copy, list);
	*list = '\0';
	while (n < 64 && (word = strstr(rest, ", ")) != NULL) {
		*word = '\0';
		words[n++] = rest;
		rest = word + 2;
	}
	if (*rest != '\0' && n < 64)
		words[n++] = rest;
	qsort(words, n, sizeof(words[0]), by_text);
	for (size_t i = 0; i < n; i++)
		if ((i == 0 || strcmp(words[i], words[i - 1]) != 0) && strstr(without, words[i]) == NULL)
			add(list, "%s", words[i]);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static void of_status(const json_t *status, char now[FACTS][LINE_MOST])
{
	const json_t *generation = json_object_get(status, "generation"), *one,
		     *clock = json_object_get(status, "clock");
	size_t i;

	strcpy(now[FACT_GENERATION], text_of(generation, "state"));
	if (json_integer_value(json_object_get(generation, "number")) != 0)
		snprintf(now[FACT_GENERATION], LINE_MOST, "%d %s%s",
			 (int)json_integer_value(json_object_get(generation, "number")), text_of(generation, "state"),
			 json_is_null(json_object_get(generation, "confirm_by")) ? "" : ", ends by itself");
	json_array_foreach(json_object_get(status, "roles"), i, one)
		add(now[FACT_ROLES], "%s%s%s", text_of(one, "role"),
		    strcmp(text_of(one, "state"), "running") ? " " : "",
		    strcmp(text_of(one, "state"), "running") ? text_of(one, "state") : "");
	put_in_order(now[FACT_ROLES], "");
	json_array_foreach(json_object_get(status, "isolations"), i, one)
		add(now[FACT_ISOLATED], "%s", text_of(one, "what"));
	json_array_foreach(json_object_get(status, "doors"), i, one)
		add(now[FACT_DOORS], "%s %s", text_of(one, "door"),
		    json_is_true(json_object_get(one, "open")) ? "open" : "shut");
	add(now[FACT_CLOCK], "%s", json_is_true(json_object_get(clock, "trusted")) ? "trusted" : "not trusted");
	json_array_foreach(json_object_get(clock, "waiting"), i, one)
		add(now[FACT_CLOCK], "%s waits", json_string_value(one));
	snprintf(now[FACT_NOTICE], LINE_MOST, "%s", text_of(json_object_get(status, "notice"), "en"));
	now[FACT_NOTICE][strcspn(now[FACT_NOTICE], ":")] = '\0';
}

/* What became of each generation. */
static void of_history(const json_t *said, char history[LINE_MOST])
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(said, "history"), i, one)
		add(history, "%d %s by %s", (int)json_integer_value(json_object_get(one, "number")),
		    text_of(one, "state"), text_of(one, "why"));
	put_in_order(history, "");
}

static bool is_open(const struct opening *o)
{
	uint64_t until = o->until == IR_SHUT ? machine.gate_open : o->until;

	return (o->until == 0 || (until > machine.wall_ns / SECOND && !machine.ends_wait)) &&
	       machine_card(o->in)->place == CARD_DATA && machine_card(o->out)->place == CARD_DATA;
}

static void of_rules(char rules[LINE_MOST])
{
	static const char *const protocols[IPPROTO_UDP + 1] = {
		[IPPROTO_ICMP] = "icmp", [IPPROTO_TCP] = "tcp", [IPPROTO_UDP] = "udp"
	};

	for (unsigned p = 0; p < POLICIES_KNOWN; p++)
		for (unsigned i = 0; i < compiled[p].n_openings; i++) {
			const struct opening *o = &compiled[p].openings[i];

			if (memcmp(compiled[p].digest, machine.digest, 32) == 0 && is_open(o))
				add(rules, "%s%s", protocols[o->l4proto], o->until != 0 ? " for a time" : "");
		}
	put_in_order(rules, "");
	add(rules, "%s", machine.forwarding ? "forwarding" : machine.base ? "nothing passes" : "no rules");
}

static void of_cards(char cards[LINE_MOST])
{
	static const char *const places[] = {
		[CARD_HOME] = "at home", [CARD_DATA] = "in data", [CARD_ADMIN] = "in admin"
	};

	for (unsigned i = 0; i < CARDS; i++)
		if (strcmp(machine.cards[i].name, "gone") != 0)
			add(cards, "%s %s", machine.cards[i].name, places[machine.cards[i].place]);
}

/* Kinds that only the supervisor and control write: the other roles are played here. Nothing of
 * certificates, which are made by the machine's own clock. */
static bool compared(unsigned kind, unsigned code)
{
	return kind == EVENT_POLICY || kind == EVENT_DRIFT ||
	       (kind == EVENT_MACHINE && strncmp(event_code_word(kind, code), "certificate", 11) != 0);
}

static void print_records(void)
{
	char list[LINE_MOST] = "";

	for (unsigned code = 0; code < 256; code++) {
		for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
			if (processes.records[kind][code] != records_before[kind][code] && compared(kind, code))
				add(list, "%s %s", event_kind_word(kind), event_code_word(kind, code));
		for (unsigned r = 0; r < ROLE_COUNT; r++)
			if (processes.role_records[r][code] != role_records_before[r][code])
				add(list, "%s %s", role_name((enum role)r), event_code_word(EVENT_ROLE, code));
	}
	put_in_order(list, "");
	memcpy(records_before, processes.records, sizeof(records_before));
	memcpy(role_records_before, processes.role_records, sizeof(role_records_before));
	if (*list != '\0')
		printf("    records: %s\n", list);
}

/* The answer to a question; NULL: nobody answers. Owned by the caller. */
static json_t *asked(enum msg_type type)
{
	const struct msg_body question = { .type = (uint16_t)type };
	const struct answer *a = life.end == LIFE_GOES_ON ? life_asks(AS_ROOT, &question, -1) : NULL;

	return a != NULL && a->told ? json_loads(a->whole, 0, NULL) : NULL;
}

static void look(void)
{
	char now[FACTS][LINE_MOST] = { "" }, shown[LINE_MOST];
	json_t *status = asked(MSG_STATUS), *history = asked(MSG_HISTORY);

	strcpy(now[FACT_DAEMON], life.end == LIFE_GOES_ON ? "lives" : "none");
	for (unsigned i = FACT_GENERATION; i <= FACT_HISTORY; i++)
		strcpy(now[i], status != NULL ? "" : known[i]);
	if (status != NULL)
		of_status(status, now);
	if (status != NULL)
		of_history(history, now[FACT_HISTORY]);
	json_decref(status);
	json_decref(history);
	of_rules(now[FACT_RULES]);
	of_cards(now[FACT_CARDS]);
	strcpy(now[FACT_APART], machine.isolated ? processes.apart_kept > 0 ? "cut, and some kept" : "cut" : "");
	if (disk_confirmed() != 0)
		snprintf(now[FACT_DISK], LINE_MOST, "a start loads %d", (int)disk_confirmed());
	for (unsigned i = 0; i < FACTS; i++) {
		if (strcmp(now[i], known[i]) == 0)
			continue;
		strcpy(shown, now[i]);
		if (i == FACT_HISTORY)
			put_in_order(shown, known[i]); /* what is new in it */
		printf("    %s: %s\n", fact_names[i], *shown != '\0' ? shown : "-");
		strcpy(known[i], now[i]);
	}
	print_records();
}

/* ---- steps ----------------------------------------------------------------------------------- */

static const char *const answers[] = {
	[ANSWER_YES] = "yes", [ANSWER_NO] = "no", [ANSWER_INVALID] = "invalid", [ANSWER_CANNOT] = "cannot"
};

/* Of an error only its beginning, without times and names. */
static void answered(const struct answer *a)
{
	json_t *j = a != NULL && a->told && a->whole != NULL ? json_loads(a->whole, 0, NULL) : NULL;
	const char *error = text_of(json_object_get(j, "error"), "en");

	LIFE(a != NULL && a->told);
	printf("    answer: %s%s%.*s%s\n", answers[a->status], *error != '\0' ? ", " : "", (int)strcspn(error, ":;"),
	       error, json_array_size(json_object_get(j, "cut")) > 0 ? ", sessions are cut" : "");
	json_decref(j);
}

static enum known_policy policy_named(const char *name)
{
	unsigned p = 0;

	while (p < POLICIES_KNOWN && strcmp(compiled[p].name, name) != 0)
		p++;
	LIFE(p < POLICIES_KNOWN);
	return (enum known_policy)p;
}

static enum role role_named(const char *name)
{
	unsigned r = 0;

	while (r < ROLE_COUNT && strcmp(role_name((enum role)r), name) != 0)
		r++;
	LIFE(r < ROLE_COUNT);
	return (enum role)r;
}

static void on_boot(const char *rest)
{
	(void)rest;
	(void)life_boot();
}

static void on_stop(const char *rest)
{
	(void)rest;
	LIFE(life_stop() == LIFE_ENDED && life.status == 0);
}

static void on_kill(const char *rest)
{
	(void)rest;
	life_kill();
}

static void on_power_off(const char *rest)
{
	(void)rest;
	life_off(true);
}

/* A session that only a policy with UDP allows. */
static bool talks;

static void on_talk(const char *rest)
{
	(void)rest;
	talks = true;
}

/* What enforce says of sessions under this policy. */
static void foretell(enum known_policy p)
{
	processes.n_cut = talks;
	for (unsigned i = 0; i < compiled[p].n_openings; i++)
		if (compiled[p].openings[i].l4proto == IPPROTO_UDP)
			processes.n_cut = 0;
}

/* apply POLICY [dry-run] [take-over] [trial SECONDS] */
static void on_apply(const char *rest)
{
	const char *trial = strstr(rest, "trial ");
	char name[20];

	LIFE(sscanf(rest, "%19s", name) == 1);
	foretell(policy_named(name));
	answered(life_apply(policy_named(name), trial != NULL ? (uint32_t)atoi(trial + strlen("trial ")) : 0,
			    (strstr(rest, "dry-run") != NULL ? APPLY_DRY_RUN : 0) |
				    (strstr(rest, "take-over") != NULL ? APPLY_TAKE_OVER : 0)));
	if (processes.n_cut > 0 && strstr(rest, "dry-run") == NULL)
		talks = false;
}

/* A policy with one mistake. */
static void on_mistaken(const char *rest)
{
	(void)rest;
	processes.compile = COMPILE_FINDS_MISTAKES;
	answered(life_apply(KNOWN_WIDER, 0, 0));
}

/* The kernel refuses the transaction of this apply. */
static void on_refused(const char *rest)
{
	processes.enforce = ENFORCE_REFUSES;
	answered(life_apply(policy_named(rest), 0, 0));
}

/* The disk has no room for the new generation. */
static void on_no_room(const char *rest)
{
	machine.no_room_for = ".sealed";
	answered(life_apply(policy_named(rest), 0, 0));
	machine.no_room_for = NULL;
}

/* No worker takes the table of this policy. */
static void on_not_taken(const char *rest)
{
	processes.worker = WORKER_REFUSES;
	answered(life_apply(policy_named(rest), 0, 0));
	processes.worker = WORKER_TAKES;
}

static void on_confirm(const char *rest)
{
	answered(life_confirm(strtoull(rest, NULL, 10)));
}

static void on_rollback(const char *rest)
{
	answered(life_rollback(strtoull(rest, NULL, 10)));
}

static void on_isolate(const char *rest)
{
	answered(life_isolate(CHANGE_ISOLATE, rest));
}

static void on_rejoin(const char *rest)
{
	answered(life_isolate(CHANGE_REJOIN, rest));
}

static void on_open(const char *rest)
{
	answered(life_door(CHANGE_OPEN, (uint32_t)atoi(rest)));
}

static void on_shut(const char *rest)
{
	(void)rest;
	answered(life_door(CHANGE_SHUT, 0));
}

static void on_release(const char *rest)
{
	answered(life_release(rest));
}

static void on_die(const char *rest)
{
	LIFE(process_die(role_named(rest)));
	/* the table has an owner, and goes with it */
	if (role_named(rest) == ROLE_ENFORCE)
		memset(machine.digest, 0, sizeof(machine.digest));
	(void)life_settle();
}

/* While enforce stands still, somebody takes the cells of the policy out of the rules. Forwarding
 * ends; then enforce dies. */
static void on_strip(const char *rest)
{
	uint64_t one = 1;

	(void)rest;
	LIFE(process_freeze(ROLE_ENFORCE));
	memset(machine.digest, 0, sizeof(machine.digest));
	LIFE(write(machine.monitor, &one, sizeof(one)) == sizeof(one));
	LIFE(life_settle() == LIFE_GOES_ON && life_pass(SECOND / 10) == LIFE_GOES_ON && !machine.forwarding);
	on_die("enforce");
}

static void on_pass(const char *rest)
{
	LIFE(life_pass(strtoull(rest, NULL, 10) * SECOND) == LIFE_GOES_ON);
}

/* The wall clock is set to this many seconds after the beginning of the life, or before it. */
static void on_clock(const char *rest)
{
	machine.wall_ns = (1795000000 + strtoull(rest, NULL, 10)) * SECOND;
	if (life.end == LIFE_GOES_ON)
		(void)life_settle();
}

/* A person says that the clock is right. */
static void on_trust(const char *rest)
{
	static const struct msg_body order = { .type = MSG_CTL_CLOCK };

	(void)rest;
	answered(life_asks(AS_ROOT, &order, -1));
}

/* Whether the kernel and the workers have exactly the policy in force. */
static void on_verify(const char *rest)
{
	static const struct msg_body question = { .type = MSG_VERIFY };

	(void)rest;
	answered(life_asks(AS_ROOT, &question, -1));
}

/* The third card is taken out, or put back. */
static void on_unplug(const char *rest)
{
	(void)rest;
	machine.cards[2].name = "gone";
}

static void on_plug(const char *rest)
{
	(void)rest;
	machine.cards[2].name = "eth2";
}

static const struct {
	const char *word;
	void (*does)(const char *rest);
} steps[] = {
	{ "boot", on_boot },	       { "stop", on_stop },	      { "kill", on_kill },
	{ "power-off", on_power_off }, { "apply", on_apply },	      { "mistaken", on_mistaken },
	{ "refused", on_refused },     { "confirm", on_confirm },     { "rollback", on_rollback },
	{ "isolate", on_isolate },     { "rejoin", on_rejoin },	      { "open", on_open },
	{ "shut", on_shut },	       { "release", on_release },     { "die", on_die },
	{ "strip", on_strip },	       { "pass", on_pass },	      { "clock", on_clock },
	{ "trust", on_trust },	       { "talk", on_talk },	      { "verify", on_verify },
	{ "no-room", on_no_room },     { "not-taken", on_not_taken }, { "unplug", on_unplug },
	{ "plug", on_plug },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void do_step(const char *line)
{
	size_t n = strcspn(line, " "), i = 0;

	while (i < STEPS && (strlen(steps[i].word) != n || strncmp(steps[i].word, line, n) != 0))
		i++;
	LIFE(i < STEPS);
	printf("%s\n", line);
	steps[i].does(line[n] == ' ' ? line + n + 1 : line + n);
	look();
}

/* ---- the file -------------------------------------------------------------------------------- */

/*
 * "life NAME" begins one. Then a line for each step, and behind it, indented, what is seen then.
 * "#" begins a comment.
 */
static struct {
	char name[40];
	char *text; /* as it must be */
} written[LIVES_MOST];
static unsigned n_written;

static bool is_life(const char *line, char name[40])
{
	return sscanf(line, "life %39s", name) == 1;
}

static void read_file(void)
{
	FILE *f = fopen(SCRIPT, "re");
	char line[2 * LINE_MOST], name[40];

	if (f == NULL) {
		perror(SCRIPT);
		exit(1);
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		if (*line == '#' || *line == '\n')
			continue;
		if (is_life(line, name) && n_written < LIVES_MOST) {
			strcpy(written[n_written].name, name);
			written[n_written++].text = calloc(1, TRANSCRIPT_MOST);
		} else if (n_written > 0 && strlen(written[n_written - 1].text) + strlen(line) < TRANSCRIPT_MOST)
			strcat(written[n_written - 1].text, line);
	}
	(void)fclose(f);
}

static unsigned present; /* the life that is lived */

static void live_it(void)
{
	char *text = strdup(written[present].text), *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != ' ' && *line != '\0')
			do_step(line);
	free(text);
	fflush(stdout);
}

/* What is printed meanwhile, owned by the caller; *good: it was lived to its end. */
static char *lived(unsigned which, bool *good)
{
	FILE *kept = tmpfile();
	int out = dup(STDOUT_FILENO);
	char *ret = calloc(1, TRANSCRIPT_MOST);

	present = which;
	fflush(stdout);
	assert_true(kept != NULL && dup2(fileno(kept), STDOUT_FILENO) >= 0);
	*good = life_lived(live_it);
	fflush(stdout);
	(void)dup2(out, STDOUT_FILENO);
	close(out);
	rewind(kept);
	(void)!fread(ret, 1, TRANSCRIPT_MOST - 1, kept);
	(void)fclose(kept);
	return ret;
}

/* ---- all ------------------------------------------------------------------------------------- */

static void lives_of_the_file(void **state)
{
	unsigned other = 0;

	(void)state;
	assert_true(n_written > 0);
	for (unsigned i = 0; i < n_written; i++) {
		bool good;
		char *found = lived(i, &good);
		size_t n = 0, line;

		while (found[n] != '\0' && found[n] == written[i].text[n])
			n++;
		if (found[n] != written[i].text[n]) {
			for (line = n; line > 0 && found[line - 1] != '\n';)
				line--;
			printf("life %s is otherwise here:\n%.*s", written[i].name, (int)strcspn(found + line, "\n"),
			       found + line);
			printf("\nwritten:\n%.*s\n", (int)strcspn(written[i].text + line, "\n"),
			       written[i].text + line);
		}
		other += !good || found[n] != written[i].text[n];
		free(found);
	}
	assert_int_equal(other, 0);
}

static int write_texts(const char *folder)
{
	for (unsigned p = 0; p < POLICIES_KNOWN; p++)
		for (unsigned box = 0; box < 2; box++) {
			char path[300];
			FILE *f;

			(void)snprintf(path, sizeof(path), "%s/%s", folder, compiled[p].name);
			(void)mkdir(path, 0700);
			(void)snprintf(path, sizeof(path), "%s/%s/%s", folder, compiled[p].name,
				       box ? "box.cfg" : "policy.cfg");
			f = fopen(path, "we");
			if (f == NULL || fputs(policy_text_of((enum known_policy)p, box), f) < 0 || fclose(f) != 0)
				return 1;
		}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lives_of_the_file) };

	policies_make();
	if (argc == 3 && strcmp(argv[1], "--texts") == 0)
		return write_texts(argv[2]);
	read_file();
	for (unsigned i = 0; argc == 2 && i < n_written; i++)
		if (strcmp(written[i].name, argv[1]) == 0) {
			bool good;

			(void)fputs(lived(i, &good), stdout);
			return good ? 0 : 1;
		}
	return argc == 2 ? 2 : cmocka_run_group_tests(tests, NULL, NULL);
}
