"""Whatever ADS would drop or misread is found, with its line, its field and the right name."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.checks import check
from jobs.definitions import KINDS, read_all, read_pipeline
from jobs.errors import DefinitionError
from tests.jobs.samples import text, write_all


@pytest.mark.parametrize("name", KINDS)
def test_samples_are_in_order(name: str) -> None:
    assert check(text(name), KINDS[name]) == []


BAD = [
    # sample, what is replaced, by what, and parts of what is said
    (
        "finetune",
        "replicas: 6",
        "replica: 6",
        "'replica' is not a key that ADS reads",
        "'replicas'",
    ),
    ("finetune", "replicas: 6", "replica: 6", "'replicas' is missing", "spec.runtime.spec"),
    ("finetune", "replicas: 6", "replicas: -1", "found -1", "1 or more"),
    ("finetune", "replicas: 6", "replicas: '6'", "found '6'", "the number of nodes"),
    ("finetune", "commit:", "codeDir:", "'codeDir' is not", "it reads: branch, commit"),
    ("finetune", "commit:", "secretOcid:", "'secretOcid'", "did you mean 'gitSecretId'"),
    ("finetune", "pipPackages", "pipPackage", "'pipPackage'", "did you mean 'pipPackages'"),
    ("finetune", "type: service", "type: custom", "found 'custom'", "'service', 'published'"),
    ("finetune", "shapeName: VM.GPU.A10.2", "shape: VM.GPU.A10.2", "'shape'", "'shapeName'"),
    ("finetune", "storageMount", "storagemount", "'storagemount'", "'storageMount'"),
    ("finetune", "src: oci://demo-bucket@ocimock/outputs/", "src: demo", "found 'demo'", "oci://"),
    ("stage", "value: hf-token", "valueFrom: x", "'valueFrom'", "did you mean 'value'"),
    ("stage", "value: hf-token", "value: hf_abcdefghijklmnopqrst", "in clear", "env[1].value"),
    ("stage", "HF_TOKEN_SECRET_NAME", "HF_TOKEN", "HF_TOKEN would stand in clear", "Vault"),
    ("finetune", "/mnt/outputs", "/mnt/${FOLDER}", "on your machine", "for the run write $FOLDER"),
    (
        "finetune",
        "ocid1.log.oc1.eu-frankfurt-1.aaaalog",
        "${TfToken[TOKEN.1]}",
        "Terraform",
        "logId",
    ),
    ("stage", "value: hf-token", "value: <your token>", "is a placeholder", "env[1].value"),
    ("finetune", "blockStorageSize: 256", "blockStorageSize: 20", "found 20", "in GB, 50 or more"),
    (
        "finetune",
        "type: pyTorchDistributed",
        "type: python",
        "found 'python'",
        "pyTorchDistributed",
    ),
    ("finetune", "kind: job", "kind: jobs", "found 'jobs'", "'job'"),
    (
        "model",
        "artifact: oci://demo-bucket@ocimock/merged/",
        "artifact: m.zip",
        "found 'm.zip'",
        "/",
    ),
    ("model", "displayName", "name", "'name' is not", "it reads: artifact"),
    ("deployment", "bandwidthMbps", "bandWidthMbps", "'bandWidthMbps'", "'bandwidthMbps'"),
    ("deployment", "replica: 1", "replicas: 1", "'replicas'", "did you mean 'replica'"),
    ("deployment", "BASE_MODEL: merged", "TOKENS: 5", "found 5", "string"),
    ("deployment", "type: container", "type: conda", "found 'conda'", "container"),
]


BAD_PIPELINES = [
    # what is replaced, by what, on which field, and what is said
    ("spendingLimit", "spendinglimit", "spec", "'spendinglimit' is not a key that the runner "
     "reads; did you mean 'spendingLimit'?"),
    ("spendingLimit: 500", "spendingLimit: 0", "spec.spendingLimit",
     "found 0; expected US dollars, more than 0"),
    ("/ledger/demo/", "/ledger/demo", "spec.ledger",
     "found 'oci://demo-bucket@ocimock/ledger/demo'; expected oci://BUCKET@NAMESPACE/PREFIX/, a "
     "folder, ending in '/'"),
    ("name: merge", "name: prune", "spec.steps[2].name", "found 'prune'; expected one of "
     "'stage', 'finetune', 'merge', 'register', 'deploy', 'smoke'"),
    ("kind: model", "kind: job", "spec.steps[3].kind",
     "found 'job'; 'register' is of kind 'model'"),
    ("needs: [register]", "needs: [smoke]", "spec.steps[4].needs[0]",
     "'smoke' comes no earlier; a step needs steps that stand before it"),
    ("needs: [deploy]", "needs: [publish]", "spec.steps[5].needs[0]",
     "'publish' is no step of this pipeline; a step needs steps that stand before it"),
    ("[merge.yaml]", "[finetune.yaml]", "spec.steps[2].definitions[0]",
     "found 'finetune.yaml'; 'merge' submits merge.yaml"),
    ("[merge.yaml]", "[merge.yaml, merge.fallback-1.yaml]", "spec.steps[2].definitions[1]",
     "there is no 'merge.fallback-1.yaml' beside it"),
    ("[merge.yaml]", "[merge.yaml, merge.yaml]", "spec.steps[2].definitions[1]",
     "'merge.yaml' stands twice"),
    ("[merge.yaml]", "[../merge.yaml]", "spec.steps[2].definitions[0]",
     "found '../merge.yaml'; expected a file beside this one, as in finetune.yaml or "
     "finetune.fallback-1.yaml"),
    ("name: finetune", "name: stage", "spec.steps[1].name", "a second step 'stage'"),
    ("tenancy: demo", "tenancy: ${TfToken[TOKEN.1]}", "spec.tenancy",
     "holds a Terraform token: take the text from the stack's outputs"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "field", "said"), BAD_PIPELINES, ids=[each[1] for each in BAD_PIPELINES]
)
def test_what_is_wrong_with_a_pipeline_is_named(
    old: str, new: str, field: str, said: str, tmp_path: Path
) -> None:
    good = text("pipeline")
    line = 1 + good[: good.index(old)].count("\n")
    path = write_all(tmp_path) / "pipeline.yaml"
    path.write_text(good.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(DefinitionError) as caught:
        read_pipeline(tmp_path)

    assert f"{path}, line {line}, {field}: {said}" in caught.value.what.splitlines()


def test_a_pipeline_in_order_is_read(tmp_path: Path) -> None:
    pipeline = read_pipeline(write_all(tmp_path))

    assert [step.name for step in pipeline] == [
        "stage", "finetune", "merge", "register", "deploy", "smoke",
    ]  # fmt: skip
    assert pipeline.spending_limit == 500
    assert pipeline.step("merge").needs == ("stage", "finetune")
    assert pipeline.step("deploy").definitions == ("deployment.yaml",)
    assert pipeline.ledger == "oci://demo-bucket@ocimock/ledger/demo/"


def test_a_question_may_say_what_a_command_may_not(tmp_path: Path) -> None:
    path = write_all(tmp_path) / "pipeline.yaml"
    path.write_text(text("pipeline").replace("I baked cookies", "what is ${HOME} in <bash>"))
    assert "what is ${HOME} in <bash>" in read_pipeline(tmp_path).question


def test_fallbacks_are_read_in_the_order_in_which_they_are_tried(tmp_path: Path) -> None:
    folder = write_all(tmp_path)
    for name in ("merge.fallback-1", "finetune.fallback-10", "finetune.fallback-2"):
        own = text(name.partition(".")[0])
        (folder / f"{name}.yaml").write_text(own, encoding="utf-8")

    found = read_all(folder)

    assert list(found)[len(KINDS) :] == [
        "finetune.fallback-2", "finetune.fallback-10", "merge.fallback-1",
    ]  # fmt: skip
    assert {found[name].kind for name in list(found)[len(KINDS) :]} == {"job"}
    (folder / "merge.fallback-1.yaml").write_text("kind: job\n")
    with pytest.raises(
        DefinitionError, match=r"merge\.fallback-1\.yaml, line 1: 'spec' is missing"
    ):
        read_all(folder)


@pytest.mark.parametrize(("name", "old", "new", "said", "also"), BAD)
def test_what_ads_would_drop_is_named(
    name: str, old: str, new: str, said: str, also: str, tmp_path: Path
) -> None:
    good = text(name)
    assert old in good
    path = write_all(tmp_path) / f"{name}.yaml"
    path.write_text(good.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(DefinitionError) as caught:
        read_all(tmp_path)

    told = caught.value.what
    assert said in told
    assert also in told
    assert str(path) in told


def test_a_problem_stands_on_its_line() -> None:
    bad = text("finetune").replace("replicas: 6", "replica: 6", 1)
    line = 1 + next(n for n, each in enumerate(bad.splitlines()) if "replica: 6" in each)

    [dropped] = [problem for problem in check(bad, "job") if "'replica'" in problem.message]

    assert (dropped.line, dropped.field) == (line, "spec.runtime.spec")


def test_a_token_is_never_repeated() -> None:
    token = "hf_" + "abcdefghijklmnopqrst"
    problems = check(text("stage").replace("hf-token", token), "job")
    assert problems
    assert all(token not in problem.at(Path("finetune.yaml")) for problem in problems)


def test_a_token_in_a_comment_is_found() -> None:
    """It is no value, but the ledger and the bucket keep the whole text."""
    [problem] = check(text("stage") + "# hf_abcdefghijklmnopqrst\n", "job")
    assert "in clear" in problem.message
    assert problem.line == len(text("stage").splitlines()) + 1


def test_a_key_written_twice_is_found() -> None:
    [problem] = check(text("model") + "  displayName: other\n", "datascienceModel")
    assert "'displayName' is written twice" in problem.message
    assert problem.line == len(text("model").splitlines()) + 1


def test_tags_that_ads_would_drop_are_found() -> None:
    tagged = text("finetune").replace(
        "      replicas: 6", "      freeformTags: {a: b}\n      replicas: 6"
    )
    tagged = tagged.replace(
        "      blockStorageSize", "      freeformTags: {c: d}\n      blockStorageSize"
    )
    [problem] = check(tagged, "job")
    assert problem.field == "spec.infrastructure.spec.freeformTags"
    assert "put all tags there" in problem.message


@pytest.mark.parametrize("broken", ["a: [", "", "just words", "- a\n- b\n", "a: \x00\n"])
def test_what_is_no_definition_at_all(broken: str) -> None:
    [problem] = check(broken, "job")
    assert problem.message.startswith(("not YAML", "expected a mapping"))


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    folder = write_all(tmp_path)
    for name, old in (("finetune", "replicas"), ("deployment", "bandwidthMbps")):
        path = folder / f"{name}.yaml"
        path.write_text(path.read_text().replace(old, "x" + old))

    with pytest.raises(DefinitionError) as caught:
        read_all(folder)

    assert "'xreplicas'" in caught.value.what
    assert "'xbandwidthMbps'" in caught.value.what


def test_what_is_not_text_is_told(tmp_path: Path) -> None:
    path = write_all(tmp_path) / "merge.yaml"
    path.write_bytes(b"kind: \xff")
    with pytest.raises(DefinitionError, match=r"merge\.yaml is not UTF-8: byte 6 is 0xff"):
        read_all(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    folder = write_all(tmp_path)
    (folder / "merge.yaml").unlink()
    with pytest.raises(DefinitionError, match=r"has no merge\.yaml"):
        read_all(folder)
