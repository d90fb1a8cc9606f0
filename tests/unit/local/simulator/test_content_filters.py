from tollgate.local.simulator import content_filters


def test_each_prompt_has_its_results() -> None:
    assert [item["prompt_index"] for item in content_filters.prompt_filter_results(2)] == [0, 1]


def test_blocked_choice_shows_the_category() -> None:
    assert content_filters.choice_filter_results(blocked=True)["violence"] == {
        "filtered": True,
        "severity": "medium",
    }


def test_unblocked_response_filters_nothing() -> None:
    assert content_filters.response_filters(blocked=False)[0]["blocked"] is False
