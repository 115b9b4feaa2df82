#include "cli/material.h"

#include "cli/option.h"

/* Sentences that a file's metadata may claim: a number from a stranger sizes the attack. */
enum { LARGEST_BATCH = 1024 };

static dlg_status choose_source(dlg_material *m, const dlg_source_choice *choice, bool has_preset, dlg_error *err)
{
    m->choice = *choice;
    if (choice->directory) return DLG_OK;
    if (has_preset) {
        if (!choice->task) m->choice.task = dlg_safetensors_metadata(m->file, DLG_METADATA_TASK);
        return DLG_OK;
    }
    const dlg_status status = dlg_source_choice_from_metadata(&m->choice, m->file, err);
    if (status) return status;
    if (choice->task) m->choice.task = choice->task;
    m->choice.ways = choice->ways;
    return DLG_OK;
}

dlg_status dlg_material_open(dlg_material *m, const char *path, const dlg_source_choice *choice, bool has_preset,
                             dlg_error *err)
{
    m->path = path;
    dlg_status status = dlg_safetensors_open(&m->file, path, err);
    if (!status) status = choose_source(m, choice, has_preset, err);
    if (!status) status = dlg_source_open(&m->source, &m->choice, err);
    /* A wrong name within the metadata is not the user's. */
    if (status == DLG_EARG && !has_preset && !choice->directory) {
        const dlg_error inner = err ? *err : (dlg_error){0};
        return dlg_fail(err, DLG_EFORMAT, "%s: metadata: %s", path, inner.message);
    }
    if (!status) status = dlg_gradient_open(&m->gradient, m->file, m->source.model, err);
    if (!status)
        status = dlg_analysis_create(&m->analysis, &m->gradient, dlg_tokenizer_special(m->source.tokenizer), err);
    return status;
}

static dlg_status read_batch_size(dlg_material *m, dlg_error *err)
{
    const char *text = dlg_safetensors_metadata(m->file, DLG_METADATA_BATCH_SIZE);
    uint64_t value;
    if (!text) return DLG_OK;
    if (!dlg_parse_whole(text, 1, LARGEST_BATCH, &value))
        return dlg_fail(err, DLG_EFORMAT,
                        "%s: metadata " DLG_METADATA_BATCH_SIZE ": want a whole number from 1 to %d, found \"%.60s\"",
                        m->path, LARGEST_BATCH, text);
    m->knowledge.n_sentences = (size_t)value;
    m->knowledge.sentences_from = DLG_METADATA;
    return DLG_OK;
}

dlg_status dlg_material_know(dlg_material *m, const dlg_known *known, dlg_error *err)
{
    dlg_error inner = {0};
    dlg_status status = read_batch_size(m, err);
    if (!status) status = dlg_known_tell(&m->knowledge, known, &m->source.model->config, err);
    if (status) return status;
    status = dlg_knowledge_infer(&m->knowledge, m->analysis, &inner);
    if (status == DLG_EFORMAT) {
        m->unreadable = inner;
        return DLG_OK;
    }
    return status ? dlg_fail(err, status, "%s: %s", m->path, inner.message) : DLG_OK;
}

void dlg_material_release(dlg_material *m)
{
    dlg_knowledge_release(&m->knowledge);
    dlg_analysis_free(m->analysis);
    dlg_gradient_release(&m->gradient);
    dlg_source_close(&m->source);
    dlg_safetensors_close(m->file);
    *m = (dlg_material){0};
}
