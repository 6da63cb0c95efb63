/* tutti graph: what depends on what, as Graphviz, Mermaid, SVG or JSON. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/graph_view.h"
#include "cli/print.h"
#include "cli/work.h"

static const char *shape(const struct graph_node *n)
{
        switch (n->kind) {
        case RESOURCE_GATE: return "diamond";
        case RESOURCE_LOOKUP: return "ellipse";
        case RESOURCE_TEMPLATE: return "folder";
        default: return "box";
        }
}

static void print_dot(const struct graph_view *g)
{
        struct text out = {0};
        text_add(&out, "digraph tutti {\n  rankdir=LR;\n");
        for (size_t i = 0; i < g->count; i++) {
                cleanup_free char *label = mem_printf("%s\n%s", g->nodes[i].name, g->nodes[i].type);
                text_addf(&out, "  n%zu [shape=%s, label=", i, shape(&g->nodes[i]));
                text_add_json(&out, label, strlen(label));
                text_add(&out, "];\n");
        }
        for (size_t i = 0; i < g->edge_count; i++)
                text_addf(&out, "  n%u -> n%u;\n", g->edges[i].from, g->edges[i].to);
        text_add(&out, "}");
        puts(out.data);
        text_release(&out);
}

static void print_mermaid(const struct graph_view *g)
{
        printf("flowchart LR\n");
        for (size_t i = 0; i < g->count; i++) {
                const struct graph_node *n = &g->nodes[i];
                if (n->kind == RESOURCE_GATE)
                        printf("  n%zu{\"%s\"}\n", i, n->name);
                else
                        printf("  n%zu[\"%s<br/>%s\"]\n", i, n->name, n->type);
        }
        for (size_t i = 0; i < g->edge_count; i++)
                printf("  n%u --> n%u\n", g->edges[i].from, g->edges[i].to);
}

static void print_json(const struct session *s, const struct graph_view *g)
{
        struct text out = {0};
        text_add(&out, "{\"environment\":");
        text_json(&out, session_name(s));
        text_add(&out, ",\"nodes\":[");
        for (size_t i = 0; i < g->count; i++) {
                text_add(&out, i ? ",{\"name\":" : "{\"name\":");
                text_json(&out, g->nodes[i].name);
                text_add(&out, ",\"type\":");
                text_json(&out, g->nodes[i].type);
                text_addc(&out, '}');
        }
        text_add(&out, "],\"edges\":[");
        for (size_t i = 0; i < g->edge_count; i++) {
                text_add(&out, i ? ",{\"from\":" : "{\"from\":");
                text_json(&out, g->nodes[g->edges[i].from].name);
                text_add(&out, ",\"to\":");
                text_json(&out, g->nodes[g->edges[i].to].name);
                text_addc(&out, '}');
        }
        text_add(&out, "]}");
        puts(out.data);
        text_release(&out);
}

static void xml_text(const char *s)
{
        for (; *s != '\0'; s++) {
                switch (*s) {
                case '&': fputs("&amp;", stdout); break;
                case '<': fputs("&lt;", stdout); break;
                case '>': fputs("&gt;", stdout); break;
                default: putchar(*s);
                }
        }
}

enum { BOX_WIDTH = 180, BOX_HEIGHT = 44, GAP_X = 70, GAP_Y = 16, MARGIN = 20 };

/* One column per rank (the longest path to a node), in the order of the file within it. */
static void print_svg(const struct graph_view *g)
{
        cleanup_free unsigned *row = mem_alloc((g->count + 1) * sizeof *row);
        cleanup_free unsigned *filled = mem_alloc((g->count + 1) * sizeof *filled);
        unsigned columns = 0, rows = 0;
        for (size_t i = 0; i < g->count; i++) {
                row[i] = filled[g->nodes[i].rank]++;
                if (g->nodes[i].rank + 1 > columns) columns = g->nodes[i].rank + 1;
                if (row[i] + 1 > rows) rows = row[i] + 1;
        }
        printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
               "font-family=\"sans-serif\" font-size=\"13\">\n",
            columns * (BOX_WIDTH + GAP_X) + 2 * MARGIN, rows * (BOX_HEIGHT + GAP_Y) + 2 * MARGIN);
        for (size_t i = 0; i < g->edge_count; i++) {
                unsigned a = g->edges[i].from, b = g->edges[i].to;
                unsigned x1 = MARGIN + g->nodes[a].rank * (BOX_WIDTH + GAP_X) + BOX_WIDTH,
                         x2 = MARGIN + g->nodes[b].rank * (BOX_WIDTH + GAP_X);
                unsigned y1 = MARGIN + row[a] * (BOX_HEIGHT + GAP_Y) + BOX_HEIGHT / 2,
                         y2 = MARGIN + row[b] * (BOX_HEIGHT + GAP_Y) + BOX_HEIGHT / 2;
                printf("<path d=\"M%u,%u C%u,%u %u,%u %u,%u\" fill=\"none\" stroke=\"#888\"/>\n", x1, y1,
                    x1 + GAP_X / 2, y1, x2 - GAP_X / 2, y2, x2, y2);
        }
        for (size_t i = 0; i < g->count; i++) {
                const struct graph_node *n = &g->nodes[i];
                unsigned x = MARGIN + n->rank * (BOX_WIDTH + GAP_X),
                         y = MARGIN + row[i] * (BOX_HEIGHT + GAP_Y);
                printf("<rect x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"%s\" "
                       "stroke=\"#555\"/>\n",
                    x, y, BOX_WIDTH, BOX_HEIGHT, n->kind == RESOURCE_GATE ? "#fff3c4" : "#f4f6f8");
                printf("<text x=\"%u\" y=\"%u\" font-weight=\"bold\">", x + 10, y + 18);
                xml_text(n->name);
                printf("</text><text x=\"%u\" y=\"%u\" fill=\"#666\">", x + 10, y + 35);
                xml_text(n->type);
                printf("</text>\n");
        }
        printf("</svg>\n");
}

int cmd_graph(const struct options *o)
{
        int code = EXIT_DONE;
        const char *format = o->json ? "json" : o->format ? o->format : "dot";
        cleanup(session_close) struct session *s = work_open(o, &code);
        if (s == NULL) return code;
        cleanup(graph_view_free) struct graph_view *g = graph_view_new(session_environment(s)->template);
        if (strcmp(format, "dot") == 0)
                print_dot(g);
        else if (strcmp(format, "mermaid") == 0)
                print_mermaid(g);
        else if (strcmp(format, "json") == 0)
                print_json(s, g);
        else if (strcmp(format, "svg") == 0)
                print_svg(g);
        else {
                cleanup_free char *why = mem_printf(
                    "--format: '%s' is none of dot, mermaid, svg, json", format);
                options_wrong(o, why);
                return EXIT_INPUT;
        }
        return EXIT_DONE;
}
