/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/trends.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "trends"
#define FORM "sekisho trends 1" /* the 16 bytes at the beginning of the file */
#define HOUR_S 3600u
#define DAY_H 24u
#define VALUES 80u  /* offset of the numbers in a row */
#define HOUR_AT 68u /* offset of the last hour in a row */

/*
 * File format. Head: FORM, the hour of its creation, the number of marks. Marks, a ring: seconds
 * (64 bits), generation, whether it was a rollback. Rows: figure (32 bits), name (64 bytes), last
 * hour, 8 unused bytes, a ring of numbers by hour. All big-endian.
 */

static off_t mark_at(uint32_t i)
{
	return TRENDS_HEAD + (off_t)(i % TRENDS_MARKS) * TRENDS_MARK;
}

static off_t row_at(const struct trends *t, const struct trend_series *s)
{
	return TRENDS_HEAD + (off_t)TRENDS_MARKS * TRENDS_MARK + (off_t)(s - t->series) * TRENDS_ROW;
}

static off_t value_at(const struct trends *t, const struct trend_series *s, uint32_t hour)
{
	return row_at(t, s) + VALUES + (off_t)(hour % TRENDS_HOURS) * 4;
}

static bool write_at(const struct trends *t, off_t at, const void *p, size_t n)
{
	return pwrite(t->fd, p, n, at) == (ssize_t)n;
}

static bool put_number(const struct trends *t, off_t at, uint32_t v)
{
	v = htobe32(v);
	return write_at(t, at, &v, sizeof(v));
}

/* Reads a number of the file. Beyond the file's end all numbers are 0. */
static uint32_t read_number(const struct trends *t, off_t at)
{
	uint32_t v = 0;

	return pread(t->fd, &v, sizeof(v), at) == sizeof(v) ? be32toh(v) : 0;
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool take_row(const struct trends *t, struct trend_series *s)
{
	off_t at = row_at(t, s);
	char name[TRENDS_NAME] = "";
	ssize_t n = pread(t->fd, name, TRENDS_NAME - 1, at + 4);
	uint32_t what = read_number(t, at);

	if (n < 0 || what >= TREND_COUNT)
		return false;
	*s = (struct trend_series){ .what = (uint8_t)what };
	memcpy(s->name, name, sizeof(name));
	s->hour = read_number(t, at + HOUR_AT);
	s->now = read_number(t, value_at(t, s, s->hour));
	return true;
}

static bool take_file(struct trends *t)
{
	char form[sizeof(FORM)] = "";

	if (pread(t->fd, form, sizeof(FORM) - 1, 0) != sizeof(FORM) - 1 || strcmp(form, FORM) != 0)
		return false;
	t->begun_hour = read_number(t, sizeof(FORM) - 1);
	t->n_marks = read_number(t, sizeof(FORM) - 1 + 4);
	for (size_t i = 0; i < TRENDS_SERIES; i++)
		if (!take_row(t, &t->series[i]))
			return false;
	return true;
}

static int begin_file(int folder, uint64_t wall_s, struct trends *t)
{
	*t = (struct trends){ .begun_hour = (uint32_t)(wall_s / HOUR_S) };
	t->fd = openat(folder, FILE_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (t->fd < 0)
		return -errno;
	t->open = true;
	/* FORM is written last: a file whose creation was interrupted is not valid. */
	if (put_number(t, sizeof(FORM) - 1, t->begun_hour) && write_at(t, 0, FORM, sizeof(FORM) - 1))
		return 0;
	trends_close(t);
	(void)unlinkat(folder, FILE_NAME, 0);
	return -EIO;
}

int trends_open(int folder, uint64_t wall_s, struct trends *t)
{
	struct stat st;

	*t = (struct trends){ 0 };
	t->fd = openat(folder, FILE_NAME, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	t->open = t->fd >= 0;
	if (t->open && fstat(t->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)TRENDS_BYTES &&
	    take_file(t))
		return 0;
	if (t->open || errno != ENOENT) {
		trends_close(t);
		if (renameat(folder, FILE_NAME, folder, FILE_NAME ".damaged") < 0)
			return -errno;
	}
	return begin_file(folder, wall_s, t);
}

void trends_close(struct trends *t)
{
	if (t->open)
		close(t->fd);
	t->open = false;
}

static bool save_series(const struct trends *t, struct trend_series *s)
{
	if (!s->changed)
		return true;
	if (!put_number(t, value_at(t, s, s->hour), s->now) || !put_number(t, row_at(t, s) + HOUR_AT, s->hour))
		return false;
	s->changed = false;
	return true;
}

void trends_save(struct trends *t)
{
	bool all = true;

	if (!t->open || !t->changed)
		return;
	for (size_t i = 0; i < TRENDS_SERIES; i++)
		all = save_series(t, &t->series[i]) && all;
	t->changed = !all;
}

/* ---- counting -------------------------------------------------------------------------------- */

/* Moves the series to this hour. Clears the hours in between, where the ring still has numbers of
 * 400 days ago. */
static void go_on(struct trends *t, struct trend_series *s, uint32_t hour)
{
	static const uint8_t none[4 * TRENDS_HOURS]; /* a whole ring of zeros */
	uint32_t first = s->hour + 1, n = hour - s->hour;

	(void)save_series(t, s);
	if (n > TRENDS_HOURS)
		n = TRENDS_HOURS;
	while (n > 0) {
		uint32_t at = first % TRENDS_HOURS, run = n < TRENDS_HOURS - at ? n : TRENDS_HOURS - at;

		(void)write_at(t, value_at(t, s, first), none, (size_t)4 * run);
		first += run;
		n -= run;
	}
	s->hour = hour;
	s->now = 0;
}

static void begin_series(struct trends *t, struct trend_series *s, enum trend what, const char *name, uint32_t hour)
{
	char text[TRENDS_NAME - 1] = "";

	memcpy(text, name, strnlen(name, sizeof(text)));
	/* Clears the numbers of the series that had this row of the file before. */
	if (s->what != TREND_NONE) {
		s->hour = hour;
		go_on(t, s, hour + TRENDS_HOURS);
	}
	*s = (struct trend_series){ .what = (uint8_t)what, .hour = hour };
	memcpy(s->name, name, strnlen(name, sizeof(s->name) - 1));
	(void)(write_at(t, row_at(t, s) + 4, text, sizeof(text)) && put_number(t, row_at(t, s), what));
}

static bool is_over(const struct trend_series *s, uint32_t hour)
{
	return s->what == TREND_NONE || (hour > s->hour && hour - s->hour >= TRENDS_HOURS);
}

/* The series of this figure and name, a new one if needed. One free series for each figure is kept
 * for what has no name; a new name gets none of these. */
static struct trend_series *series_of(struct trends *t, enum trend what, const char *name, uint32_t hour)
{
	struct trend_series *own = NULL, *free_one = NULL;
	size_t n_free = 0;

	for (struct trend_series *s = t->series; s < t->series + TRENDS_SERIES && own == NULL; s++) {
		if (s->what == what && strcmp(s->name, name) == 0)
			own = s;
		if (is_over(s, hour)) {
			free_one = free_one == NULL ? s : free_one;
			n_free++;
		}
	}
	if (own != NULL || free_one == NULL || (*name != 0 && n_free <= TREND_COUNT))
		return own;
	begin_series(t, free_one, what, name, hour);
	return free_one;
}

static uint32_t value_joined(enum trend what, uint32_t was, uint64_t n)
{
	if (what == TREND_P99_US)
		return n > was ? (uint32_t)(n < UINT32_MAX ? n : UINT32_MAX) : was;
	return n < UINT32_MAX - was ? was + (uint32_t)n : UINT32_MAX;
}

void trends_add(struct trends *t, enum trend what, const char *name, uint64_t wall_s, uint64_t n)
{
	uint32_t hour = (uint32_t)(wall_s / HOUR_S);
	struct trend_series *s;

	if (!t->open || n == 0)
		return;
	s = series_of(t, what, strlen(name) < TRENDS_NAME - 1 ? name : "", hour);
	if (s == NULL)
		s = series_of(t, what, "", hour);
	if (s == NULL)
		return;
	/* The last hour of the series is too far in the future: the clock was ahead then. */
	if (hour < s->hour && s->hour - hour >= TRENDS_HOURS)
		s->hour = hour > TRENDS_HOURS ? hour - TRENDS_HOURS : 0;
	if (hour > s->hour)
		go_on(t, s, hour);
	t->changed = true;
	if (hour == s->hour) {
		s->now = value_joined(what, s->now, n);
		s->changed = true;
	} else {
		(void)put_number(t, value_at(t, s, hour), value_joined(what, read_number(t, value_at(t, s, hour)), n));
	}
}

void trends_mark(struct trends *t, uint64_t wall_s, uint32_t generation, bool back)
{
	const struct {
		uint64_t at;
		uint32_t generation, back;
	} mark = { htobe64(wall_s), htobe32(generation), htobe32(back) };

	_Static_assert(sizeof(mark) == TRENDS_MARK, "a mark in the file");
	if (!t->open || !write_at(t, mark_at(t->n_marks), &mark, sizeof(mark)))
		return;
	t->n_marks++;
	(void)put_number(t, sizeof(FORM) - 1 + 4, t->n_marks);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static const char *const words[TREND_COUNT] = {
#define TREND(id, word) [id] = (word),
#include "appliance/journal/trend.def"
};

struct window {
	/* first hour of the first step; before 1970 it is negative, and there are no numbers */
	int64_t first;
	uint32_t hours; /* hours of a step */
	uint32_t n;
};

static struct window window(bool days, int32_t east_s, uint64_t wall_s)
{
	int64_t hour = (int64_t)(wall_s / HOUR_S), east = east_s / (int32_t)HOUR_S;
	struct window w = { hour - TRENDS_RECENT + 1, 1, TRENDS_RECENT };

	if (days) {
		w = (struct window){ .hours = DAY_H, .n = TRENDS_DAYS };
		w.first = (hour + east) / DAY_H * DAY_H - east - (int64_t)(TRENDS_DAYS - 1) * DAY_H;
	}
	return w;
}

static bool hour_stands(const struct trend_series *s, int64_t hour)
{
	return hour >= 0 && hour <= s->hour && hour > (int64_t)s->hour - TRENDS_HOURS;
}

static json_t *values_json(const struct trends *t, const struct trend_series *s, const struct window *w)
{
	static uint32_t ring[TRENDS_HOURS]; /* static, because it is large */
	json_t *list = json_array();
	uint64_t any = 0;

	memset(ring, 0, sizeof(ring));
	if (pread(t->fd, ring, sizeof(ring), row_at(t, s) + VALUES) < 0)
		memset(ring, 0, sizeof(ring));
	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t sum = 0;

		for (int64_t h = w->first + (int64_t)i * w->hours; h < w->first + (int64_t)(i + 1) * w->hours; h++) {
			uint32_t v = !hour_stands(s, h) ? 0 : h == s->hour ? s->now : be32toh(ring[h % TRENDS_HOURS]);

			sum = s->what == TREND_P99_US ? (v > sum ? v : sum) : sum + v;
		}
		any |= sum;
		json_array_append_new(list, json_integer((json_int_t)sum));
	}
	list = json_list_whole(list, w->n);
	if (any == 0) {
		json_decref(list);
		return json_null();
	}
	return list;
}

static json_t *marks_json(const struct trends *t, uint64_t since_s)
{
	json_t *list = json_array();

	for (uint32_t i = t->n_marks > TRENDS_MARKS ? t->n_marks - TRENDS_MARKS : 0; i < t->n_marks; i++) {
		uint64_t at = (uint64_t)read_number(t, mark_at(i)) << 32 | read_number(t, mark_at(i) + 4);

		if (at >= since_s)
			json_array_append_new(list, json_pack("{s:o, s:I, s:b}", "time", json_time(at * 1000000000),
							      "generation", (json_int_t)read_number(t, mark_at(i) + 8),
							      "back", read_number(t, mark_at(i) + 12) != 0));
	}
	return list;
}

json_t *trends_json(struct trends *t, bool days, int32_t east_s, uint64_t wall_s)
{
	const struct window w = window(days, east_s, wall_s);
	uint64_t since_s = w.first > 0 ? (uint64_t)w.first * HOUR_S : 0;
	json_t *all = json_array();

	for (size_t i = 0; t->open && i < TRENDS_SERIES; i++) {
		const struct trend_series *s = &t->series[i];
		json_t *values = s->what != TREND_NONE ? values_json(t, s, &w) : NULL;

		if (json_is_array(values))
			json_array_append_new(all, json_pack("{s:s, s:o, s:O}", "what", words[s->what], "of",
							     *s->name != 0 ? json_text(s->name) : json_null(), "values",
							     values));
		json_decref(values);
	}
	return json_pack("{s:s, s:o, s:I, s:I, s:o, s:o, s:o, s:I}", "by", days ? "day" : "hour", "since",
			 json_time(since_s * 1000000000), "step_s", (json_int_t)w.hours * HOUR_S, "steps",
			 (json_int_t)w.n, "begun", json_time((uint64_t)t->begun_hour * HOUR_S * 1000000000), "series",
			 all, "marks", marks_json(t, since_s), "kept_days", (json_int_t)TRENDS_DAYS);
}
