/* Prior and proposed state by schema. */
#include "plan/diff.h"

#include <string.h>

static struct value *mark(struct value *steal_value, bool sensitive)
{
        if (!sensitive || value_is_sensitive(steal_value)) return steal_value;
        struct value *marked = value_sensitive(steal_value, true);
        value_free(steal_value);
        return marked;
}

/* Converted where it converts: what a cloud says is taken as it is otherwise. */
static struct value *adapt(const struct property *p, const struct value *v)
{
        if (v == NULL) return mark(value_null(p->type), p->sensitive);
        struct value *converted = value_convert(v, p->type, NULL);
        return mark(converted ? converted : value_ref(v), p->sensitive);
}

/* What was seen, or else what is recorded. What is seen has no marks: it takes over those of the record. */
static struct value *latest(const struct property *p, const struct value *recorded, const struct value *seen)
{
        struct value *now = adapt(p, seen ? seen : recorded);
        if (seen == NULL || recorded == NULL || !value_has_sensitive(recorded)) return now;
        if (!value_equal(now, recorded)) return mark(now, true);
        value_free(now);
        return mark(value_ref(recorded), p->sensitive);
}

struct value *diff_prior(
    const struct schema *schema, const struct recorded *recorded, const struct value *observed)
{
        struct value_builder b = {0};
        for (size_t i = 0; i < schema->property_count; i++) {
                const struct property *p = &schema->properties[i];
                const struct value *v = value_get(recorded->properties, p->name);
                const struct value *seen = observed && !p->write_only ? value_get(observed, p->name) : NULL;
                value_builder_add(&b, p->name, latest(p, v, seen));
        }
        for (size_t i = 0; i < schema->output_count; i++) {
                const struct property *p = &schema->outputs[i];
                if (schema_property(schema, p->name) != NULL) continue;
                const struct value *v = observed ? value_get(observed, p->name) : NULL;
                const struct value *before = value_get(recorded->outputs, p->name);
                struct value *id = NULL;
                if (v == NULL && before == NULL && strcmp(p->name, "id") == 0 && recorded->id[0] != '\0')
                        v = id = value_string(recorded->id);
                value_builder_add(&b, p->name, latest(p, before, v));
                value_free(id);
        }
        struct value *prior = value_builder_object(&b);
        value_builder_release(&b);
        return prior;
}

static bool check_names(
    const struct schema *schema, const struct value *config, const struct place *place, struct error **err)
{
        bool right = true;
        for (size_t i = 0; i < value_count(config); i++) {
                const char *name = value_key_at(config, i);
                if (schema_property(schema, name) != NULL) continue;
                right = false;
                const char **names = mem_alloc(schema->property_count * sizeof *names);
                for (size_t p = 0; p < schema->property_count; p++) names[p] = schema->properties[p].name;
                const char *near = text_suggest(name, names, schema->property_count);
                error_set(err, ERROR_INPUT, place, "unknown property '%s' on %s%s%s%s", name, schema->type,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
                free(names);
        }
        return right;
}

/* An API's other way to say "none": no reason for a change where the template says nothing. */
static bool is_empty_collection(const struct value *v)
{
        if (v == NULL || !value_is_known(v) || value_is_null(v)) return false;
        switch (value_kind(v)) {
        case TYPE_LIST:
        case TYPE_SET:
        case TYPE_MAP:
        case TYPE_TUPLE:
        case TYPE_OBJECT: return value_count(v) == 0;
        default: return false;
        }
}

static struct value *propose_property(const struct property *p, const struct value *given,
    const struct value *prior, const char *type, const struct place *place, struct error **err)
{
        if (given != NULL && !value_is_null(given)) {
                cleanup(error_free) struct error *problems = NULL;
                bool fits = value_check_attributes(given, p->type, &problems) == 0;
                struct value *converted = fits ? value_convert(given, p->type, &problems) : NULL;
                if (converted != NULL) return mark(converted, p->sensitive);
                error_context(&problems, "property '%s' of %s", p->name, type);
                error_place(&problems, place);
                error_move(err, &problems);
                return NULL;
        }
        if (p->required) {
                error_set(err, ERROR_INPUT, place, "property '%s' of %s is required%s", p->name, type,
                    given ? ", but its value is null" : "");
                return NULL;
        }
        if (p->fallback != NULL) return mark(value_ref(p->fallback), p->sensitive);
        const struct value *before = prior ? value_get(prior, p->name) : NULL;
        if (!p->computed)
                return is_empty_collection(before) ? value_ref(before)
                                                   : mark(value_null(p->type), p->sensitive);
        if (prior == NULL) return mark(value_unknown(p->type), p->sensitive);
        return before ? value_ref(before) : mark(value_null(p->type), p->sensitive);
}

struct value *diff_propose(const struct schema *schema, const struct value *config, const struct value *prior,
    const struct place *place, struct error **err)
{
        bool whole = value_is_known(config) && !value_is_null(config);
        if (whole && value_kind(config) != TYPE_OBJECT && value_kind(config) != TYPE_MAP) {
                error_set(err, ERROR_INPUT, place, "properties must be an object");
                return NULL;
        }
        bool secret = value_is_sensitive(config);
        bool failed = whole && !check_names(schema, config, place, err);
        struct value_builder b = {0};
        for (size_t i = 0; i < schema->property_count; i++) {
                const struct property *p = &schema->properties[i];
                struct value *v = NULL;
                if (!value_is_known(config))
                        v = mark(value_unknown(p->type), p->sensitive);
                else
                        v = propose_property(
                            p, whole ? value_get(config, p->name) : NULL, prior, schema->type, place, err);
                failed |= v == NULL;
                if (v != NULL) value_builder_add(&b, p->name, mark(v, secret));
        }
        struct value *proposed = value_builder_object(&b);
        value_builder_release(&b);
        if (!failed) return proposed;
        value_free(proposed);
        return NULL;
}

static bool is_number(const struct value *v)
{
        return v != NULL && value_is_known(v) && !value_is_null(v) && value_kind(v) == TYPE_NUMBER;
}

bool diff_replaces(const struct property *property, const struct value *before, const struct value *after)
{
        if (property->create_only) return true;
        return property->grows && is_number(before) && is_number(after) && value_compare(after, before) < 0;
}

/* Where a property and an output share a name: for a lookup the answer counts, `name` being a pattern in the question. */
static bool answer_counts(const struct schema *schema, const char *name)
{
        return schema->lookup && schema_output(schema, name) != NULL;
}

struct value *diff_attributes(
    const struct schema *schema, const struct value *planned, const struct value *outputs, bool keep_all)
{
        struct value_builder b = {0};
        for (size_t i = 0; i < schema->property_count; i++) {
                const struct property *p = &schema->properties[i];
                if (answer_counts(schema, p->name)) continue;
                const struct value *v = planned ? value_get(planned, p->name) : NULL;
                value_builder_add(&b, p->name, v ? value_ref(v) : value_unknown(p->type));
        }
        for (size_t i = 0; i < schema->output_count; i++) {
                const struct property *p = &schema->outputs[i];
                if (!schema->lookup && schema_property(schema, p->name) != NULL) continue;
                const struct value *v = outputs ? value_get(outputs, p->name) : NULL;
                bool stays = keep_all || p->create_only || strcmp(p->name, "id") == 0;
                value_builder_add(
                    &b, p->name, v && stays ? value_ref(v) : mark(value_unknown(p->type), p->sensitive));
        }
        struct value *attributes = value_builder_object(&b);
        value_builder_release(&b);
        return attributes;
}

struct value *diff_adapt(const struct schema *schema, const struct value *given, const struct value *fallback)
{
        struct value_builder b = {0};
        for (size_t i = 0; i < schema->property_count; i++) {
                const struct property *p = &schema->properties[i];
                const struct value *v = value_get(given, p->name), *other = value_get(fallback, p->name);
                struct value *converted = v ? value_convert(v, p->type, NULL) : NULL;
                if (converted == NULL) converted = other ? value_ref(other) : value_null(p->type);
                value_builder_add(
                    &b, p->name, mark(converted, p->sensitive || (other && value_is_sensitive(other))));
        }
        struct value *adapted = value_builder_object(&b);
        value_builder_release(&b);
        return adapted;
}

static int compare_elements(const void *a, const void *b)
{
        return value_compare(*(const struct value *const *)a, *(const struct value *const *)b);
}

/* The same elements in any order. */
static bool same_multiset(const struct value *a, const struct value *b)
{
        size_t count = value_count(a);
        if (count != value_count(b)) return false;
        cleanup_free const struct value **left = mem_alloc(count * sizeof *left);
        cleanup_free const struct value **right = mem_alloc(count * sizeof *right);
        for (size_t i = 0; i < count; i++) {
                left[i] = value_at(a, i);
                right[i] = value_at(b, i);
        }
        qsort(left, count, sizeof *left, compare_elements);
        qsort(right, count, sizeof *right, compare_elements);
        for (size_t i = 0; i < count; i++)
                if (!value_equal(left[i], right[i])) return false;
        return true;
}

/* What has no fixed type may come back as a list or a tuple, a map or an object: the same JSON is the same. */
static bool same_json(const struct value *a, const struct value *b)
{
        struct text left = {0}, right = {0};
        bool same = value_json(a, SECRETS_REVEAL, NULL, &left, NULL) == 0 &&
                    value_json(b, SECRETS_REVEAL, NULL, &right, NULL) == 0 &&
                    text_equal(left.data, right.data);
        if (left.data != NULL) mem_wipe(left.data, left.len);
        if (right.data != NULL) mem_wipe(right.data, right.len);
        text_release(&left);
        text_release(&right);
        return same;
}

bool diff_same(const struct property *property, const struct value *a, const struct value *b)
{
        if (a == NULL || b == NULL) return (a == NULL || value_is_null(a)) && (b == NULL || value_is_null(b));
        if (value_is_null(a) && value_is_null(b)) return true;
        if (value_equal(a, b)) return true;
        if (!value_is_wholly_known(a) || !value_is_wholly_known(b) || value_is_null(a) || value_is_null(b))
                return false;
        enum type_kind kind = value_kind(a);
        if (property->unordered && (kind == TYPE_LIST || kind == TYPE_TUPLE) && value_kind(b) == kind)
                return same_multiset(a, b);
        return type_has_dynamic(property->type) && same_json(a, b);
}

bool diff_refines(const struct value *planned, const struct value *final)
{
        if (!value_is_known(planned)) return true;
        if (value_is_wholly_known(planned)) return value_equal(planned, final);
        enum type_kind kind = value_kind(planned);
        if (kind == TYPE_SET) return value_is_known(final) && value_kind(final) == TYPE_SET;
        if (value_kind(final) != kind || value_count(final) != value_count(planned)) return false;
        bool keyed = kind == TYPE_MAP || kind == TYPE_OBJECT;
        for (size_t i = 0; i < value_count(planned); i++) {
                if (keyed && strcmp(value_key_at(planned, i), value_key_at(final, i)) != 0) return false;
                if (!diff_refines(value_at(planned, i), value_at(final, i))) return false;
        }
        return true;
}
