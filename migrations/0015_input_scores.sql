-- What the picture gate said of them goes along to what is made from the job.
CREATE TRIGGER picture_scores_brought AFTER INSERT ON jobs
WHEN new.inputs <> '{}' AND json_extract(new.order_json, '$.source') IS NOT NULL
BEGIN
    INSERT OR IGNORE INTO picture_scores (job_id, name, score)
    SELECT new.id, name, score FROM picture_scores
    WHERE job_id = json_extract(new.order_json, '$.source')
      AND name IN (SELECT substr(value, 41) FROM json_each(new.inputs));  -- behind `ab/<job id>/`
END;
